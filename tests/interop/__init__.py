"""fsdf and funboost on the same queues: each feeds the other."""
