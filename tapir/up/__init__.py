"""The all-in-one: a datastore in a child process and every other component in this one."""
