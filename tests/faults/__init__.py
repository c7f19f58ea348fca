"""What happens to an installation, one module per kind of fault.

F2, F5: test_processes. F12: test_networks. F13, F14: test_refusals. F16: test_races.
F15: test_reorgs. F18: test_bytes.
Each test runs a few rounds with everything else
and all of them with `make test-faults`; after each, tests.faults.oracle looks at what is left.
"""
