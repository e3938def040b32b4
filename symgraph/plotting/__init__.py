"""Drawing directed graphs: a diagram, its layered layout, and what writes it as SVG or through graphviz."""
