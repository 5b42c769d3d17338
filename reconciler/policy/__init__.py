"""`policies/`: schema, typed expressions, and the policy they make. Pure."""
