"""Pictures of workflows: what follows what, as Mermaid text and as SVG."""

from autoworker.graphs.mermaid import mermaid
from autoworker.graphs.reading import graph_of
from autoworker.graphs.svg import svg

__all__ = ["graph_of", "mermaid", "svg"]
