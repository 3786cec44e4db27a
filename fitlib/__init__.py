"""The shared package of the book *Fitting models*."""
