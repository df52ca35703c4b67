"""Functions that are served outside of definitions: by the operator, and by workers."""
