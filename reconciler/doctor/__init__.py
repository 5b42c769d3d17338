"""What `reconcile doctor` looks at, and what it makes of it.

`look_*` modules ask (read-only: nothing is ever tried by writing), and return facts or why they could not be had. Every other
module is pure: facts to findings. `finding` has the records, `catalog` every check there is.
"""
