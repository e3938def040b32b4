"""Targets: what runs a plan. `numpy` evaluates the loop IR with arrays, `llvm` compiles it to native code."""
