"""Every client against every server through one gateway: who plays, who is played with, what is expected."""
