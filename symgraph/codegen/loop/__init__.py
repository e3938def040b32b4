"""The loop IR: its grammar, text, canonical form, verifier and interpreter."""
