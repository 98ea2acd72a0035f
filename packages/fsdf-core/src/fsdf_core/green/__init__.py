"""What consumers need under the monkey patches of gevent and eventlet."""
