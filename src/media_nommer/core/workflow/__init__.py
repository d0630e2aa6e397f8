"""How a job moves forward: the rules that feederd and the workers share, over the ports."""
