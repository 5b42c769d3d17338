"""git as the database: trees to plan from, the branch to propose, refs for the lock, notes for receipts."""
