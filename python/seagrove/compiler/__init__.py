"""From TTIR text to machine code: options, stages, targets, diagnostics and the cache key."""
