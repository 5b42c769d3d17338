"""Whether a guest can sign in: what the directory says, what the KDC answers, and what the two together mean."""
