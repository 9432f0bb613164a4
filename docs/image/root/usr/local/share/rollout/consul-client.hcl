server = false

# A client that leaves is out of the catalog after 0.3 s. One that is killed and comes back empty under its name before
# that was noticed cannot register.
leave_on_terminate      = true
skip_leave_on_interrupt = false
