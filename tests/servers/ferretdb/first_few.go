package handler

import (
	"github.com/FerretDB/FerretDB/internal/handler/common"
	"github.com/FerretDB/FerretDB/internal/util/must"
)

// firstFew tells whether SQLite can find the first few documents of a sorted find by itself: where the filter is one
// equality, which it applies wholly. FerretDB by itself reads and sorts all that match.
func firstFew(params *common.FindParams) bool {
	if params.Limit == 0 || params.Skip != 0 || params.Filter.Len() != 1 || params.Sort.Len() < 2 {
		return false
	}

	switch must.NotFail(params.Filter.Get(params.Filter.Keys()[0])).(type) {
	case string, int32, int64:
		return true
	default:
		return false
	}
}
