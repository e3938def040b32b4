"""From a closed graph to something that runs: cluster, lower, schedule, plan, target."""
