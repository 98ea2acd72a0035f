package sqlite

import (
	"fmt"
	"strings"

	"github.com/FerretDB/FerretDB/internal/backends/sqlite/metadata"
	"github.com/FerretDB/FerretDB/internal/handler/sjson"
	"github.com/FerretDB/FerretDB/internal/types"
	"github.com/FerretDB/FerretDB/internal/util/must"
)

// narrow lets SQLite, which has indexes, choose among documents by the equalities of a filter. FerretDB by itself
// reads the whole collection for every command. It still applies the filter to what is found.
func narrow(filter *types.Document) (string, []any) {
	var conditions []string
	var args []any

	if filter.Len() == 0 {
		return "", nil
	}

	keys := filter.Keys()
	if filter.Has("_id") {
		// SQLite might prefer an index that chooses less well.
		keys = []string{"_id"}
	}

	for _, key := range keys {
		value := must.NotFail(filter.Get(key))

		column := fmt.Sprintf("%s->%q", metadata.DefaultColumn, key)

		if strings.ContainsAny(key, `.$'"`) {
			continue
		}

		switch value := value.(type) {
		case string, types.ObjectID, int32, int64:
			conditions = append(conditions, column+" = ?")
			args = append(args, marshal(value))
		case *types.Document:
			wanted, err := value.Get("$in")
			if err != nil || value.Len() != 1 {
				continue
			}

			found, ok := wanted.(*types.Array)
			if !ok || found.Len() == 0 {
				continue
			}

			var many []any
			for i := 0; i < found.Len(); i++ {
				switch each := must.NotFail(found.Get(i)).(type) {
				case string, types.ObjectID, int32, int64:
					many = append(many, marshal(each))
				}
			}

			if len(many) == found.Len() {
				conditions = append(conditions, column+" IN (?"+strings.Repeat(", ?", len(many)-1)+")")
				args = append(args, many...)
			}
		}
	}

	if len(conditions) == 0 {
		return "", nil
	}

	return " WHERE " + strings.Join(conditions, " AND "), args
}

func marshal(value any) string {
	return string(must.NotFail(sjson.MarshalSingleValue(value)))
}

// orderBy lets SQLite sort, by an index if there is one. It sorts as text, which for numbers of equally many digits
// is their order.
func orderBy(sort *types.Document) string {
	var columns []string

	for _, key := range sort.Keys() {
		column := fmt.Sprintf("%s->%q", metadata.DefaultColumn, key)
		if must.NotFail(sort.Get(key)).(int64) < 0 {
			column += " DESC"
		}

		columns = append(columns, column)
	}

	if len(columns) == 0 {
		return ""
	}

	return " ORDER BY " + strings.Join(columns, ", ")
}
