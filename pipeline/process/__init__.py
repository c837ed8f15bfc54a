"""The process itself: signals, imports, and the pool of workers."""
