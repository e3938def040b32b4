"""The loop IR: what one kernel does, in terms of loops over buffers."""
