"""The groups of commands: each reads what is asked, calls one function, and tells its answer."""
