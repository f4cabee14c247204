"""What a medical physicist measures on images: pure functions on arrays, each figure with its confidence interval."""
