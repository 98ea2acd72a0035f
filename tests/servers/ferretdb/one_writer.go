package clientconn

import "sync"

// oneWriter is held by a command that writes: FerretDB reads, decides and then writes, so two writers at once would
// overwrite each other, where MongoDB's changes of a document are atomic.
var oneWriter sync.Mutex

// lockForWriting returns what ends the command's turn.
func lockForWriting(command string) func() {
	switch command {
	case "insert", "update", "delete", "findAndModify", "findandmodify":
		oneWriter.Lock()
		return oneWriter.Unlock
	default:
		return func() {}
	}
}
