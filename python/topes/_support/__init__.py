"""What every part leans on: input read exactly and checked, limits, progress, tables and .npy files."""
