package gitops

import (
	"context"
	"os"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// safeOs is what Argo CD leaves of the os library: time and date.
func safeOs(state *lua.LState) int {
	table := state.NewTable()
	table.RawSetString("time", state.NewFunction(func(state *lua.LState) int {
		state.Push(lua.LNumber(time.Now().Unix()))
		return 1
	}))
	// Argo CD's date knows these letters, in UTC where the format begins with an exclamation mark.
	table.RawSetString("date", state.NewFunction(func(state *lua.LState) int {
		if format := state.CheckString(1); format != "!%Y-%m-%dT%H:%M:%SZ" {
			state.RaiseError("this test does not know the format %s", format)
		}
		state.Push(lua.LString(time.Now().UTC().Format("2006-01-02T15:04:05Z")))
		return 1
	}))
	state.Push(table)
	return 1
}

// run runs a script as Argo CD does: with the base, table and package libraries and a safe os alone (no string library, no files).
// Argo CD ends a script after a second. Here it has a minute, so that a machine with other work fails no test.
func run(path string, object map[string]any, params map[string]any) (any, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	libraries := map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	}
	for _, name := range []string{lua.LoadLibName, lua.BaseLibName, lua.TabLibName} {
		call := lua.P{Fn: state.NewFunction(libraries[name]), Protect: true}
		if err := state.CallByParam(call, lua.LString(name)); err != nil {
			return nil, err
		}
	}
	state.PreloadModule(lua.OsLibName, safeOs)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", toLua(state, object))
	if params != nil {
		state.SetGlobal("actionParams", toLua(state, params))
	}
	if err := state.DoString(string(script)); err != nil {
		return nil, err
	}
	return fromLua(state.Get(-1)), nil
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case string:
		return lua.LString(value)
	case float64:
		return lua.LNumber(value)
	case int64:
		return lua.LNumber(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

// fromLua turns an empty table into an empty list, as Argo CD does: Lua does not tell the two apart.
func fromLua(value lua.LValue) any {
	switch value := value.(type) {
	case lua.LBool:
		return bool(value)
	case lua.LString:
		return string(value)
	case lua.LNumber:
		return float64(value)
	case *lua.LTable:
		if key, _ := value.Next(lua.LNil); key == lua.LNil || key.Type() == lua.LTNumber {
			list := []any{}
			value.ForEach(func(_, item lua.LValue) { list = append(list, fromLua(item)) })
			return list
		}
		object := map[string]any{}
		value.ForEach(func(key, item lua.LValue) { object[key.String()] = fromLua(item) })
		return object
	}
	return nil
}
