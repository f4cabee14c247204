"""The initial estimate: transform shrinkage of blocks, refined by non-local Bayes over similar patches."""
