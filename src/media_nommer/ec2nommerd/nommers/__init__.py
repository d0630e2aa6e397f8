"""The classes that know how to do one kind of task each."""
