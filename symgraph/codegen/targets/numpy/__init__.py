"""The NumPy target: each kernel becomes one Python function on whole arrays."""
