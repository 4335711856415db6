"""From a plan to the files a target takes. Pure: no clock, network, disk or environment."""
