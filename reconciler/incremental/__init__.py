"""Plans at the cost of what changed: which guests and accounts need no look, told by hashes of what they should be and are."""
