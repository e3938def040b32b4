"""How a matrix product is computed: the layouts of its operands, and a schedule for the processor."""

from __future__ import annotations

from dataclasses import dataclass

from ....dtypes import float32, float64
from ...gemm import GemmSchedule, Machine, Operand, choose_schedule, operand
from ...loop.grammar import Contract, Kernel
from .cpu import Cpu


@dataclass(frozen=True, slots=True)
class Product:
    """A matrix product with the layout of its operands and its schedule."""

    contract: Contract
    a: Operand
    b: Operand
    schedule: GemmSchedule


def plan_contract(contract: Contract, kernel: Kernel, cpu: Cpu) -> Product | None:
    """How a product is computed, or None where it is none of floats in affine layouts."""
    shapes = {b.name: b.shape for b in kernel.buffers}
    if contract.dtype not in (float32, float64) or any(x.dtype != contract.dtype for x in (contract.a, contract.b)):
        return None
    a = operand(contract.a, shapes, contract, [v for v, _ in contract.m_parts] or [contract.m_var])
    b = operand(contract.b, shapes, contract, [contract.n_var])
    if a is None or b is None:
        return None
    return Product(contract, a, b, choose_schedule(contract, a, b, contract.dtype.itemsize, machine_of(cpu)))


def machine_of(cpu: Cpu) -> Machine:
    """What schedules need to know of a processor."""
    x86 = cpu.arch in ("x86_64", "amd64")
    registers = 32 if cpu.vector_bytes == 64 or not x86 else 16
    return Machine(cpu.vector_bytes, registers, x86 and cpu.vector_bytes >= 32, cpu.l2, cpu.name == "znver4")


__all__ = ["Product", "machine_of", "plan_contract"]
