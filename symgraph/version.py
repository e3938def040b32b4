"""The version of symgraph, in one place: packaging and cache keys read it."""

VERSION = "0.1.0"
