"""Bad days: killed writers, power cuts, bursts, full disks. Counts come from `counts`."""
