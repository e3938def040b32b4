"""The LLVM target: loop-IR kernels and a plan become native code in this process."""
