"""Rewrite rules, one theme a file. :mod:`symgraph.ir.passes` puts them in order."""
