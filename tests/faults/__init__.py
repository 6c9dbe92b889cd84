"""Laws of what faults of the system do: kills, full disks, interrupted and short calls, closed streams, clocks."""
