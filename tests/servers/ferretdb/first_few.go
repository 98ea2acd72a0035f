package handler

import (
	"github.com/FerretDB/FerretDB/internal/backends"
	"github.com/FerretDB/FerretDB/internal/handler/common"
	"github.com/FerretDB/FerretDB/internal/util/must"
)

// pushFirstFew lets SQLite find the first few documents of a sorted find, where the filter is one equality, which it
// applies wholly. FerretDB by itself reads and sorts all that match.
func pushFirstFew(params *common.FindParams, query *backends.QueryParams) {
	if params.Limit == 0 || params.Skip != 0 || params.Filter.Len() != 1 || params.Sort.Len() < 2 {
		return
	}

	switch must.NotFail(params.Filter.Get(params.Filter.Keys()[0])).(type) {
	case string, int32, int64:
		query.Sort, query.Limit = params.Sort, params.Limit
	}
}
