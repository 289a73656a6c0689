"""The HTTP side: parameters in, documents and problems out."""
