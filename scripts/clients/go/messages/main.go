// Command messages prints how the kinds of the API look in Protocol Buffers, for crates/apiserver to read them by:
// the name of a message in one line, then its fields, each with number, name in JSON, and what it holds.
//
//	go run ./messages > ../../../crates/apiserver/src/protobuf/messages.txt
package main

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
)

// groups are those whose kinds are taken, all of version v1.
var groups = []string{
	"", "apps", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "coordination.k8s.io",
	"discovery.k8s.io", "events.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io",
}

// special are the types that JSON shows in another form than the messages they are.
var special = map[reflect.Type]string{
	reflect.TypeFor[meta.Time]():            "time",
	reflect.TypeFor[meta.MicroTime]():       "microtime",
	reflect.TypeFor[resource.Quantity]():    "quantity",
	reflect.TypeFor[intstr.IntOrString]():   "integer-or-text",
	reflect.TypeFor[meta.FieldsV1]():        "json",
	reflect.TypeFor[runtime.RawExtension](): "json",
}

func main() {
	waiting := []reflect.Type{reflect.TypeFor[meta.DeleteOptions]()}
	for _, group := range groups {
		for kind, of := range scheme.Scheme.KnownTypes(schema.GroupVersion{Group: group, Version: "v1"}) {
			// Lists are never sent, and options come in the query.
			inMeta := strings.HasSuffix(of.PkgPath(), "/apis/meta/v1")
			if !strings.HasSuffix(kind, "List") && !strings.HasSuffix(kind, "Options") && !inMeta {
				waiting = append(waiting, of)
			}
		}
	}
	messages := map[string][]string{}
	for len(waiting) > 0 {
		of := waiting[0]
		waiting = waiting[1:]
		if _, done := messages[name(of)]; done {
			continue
		}
		lines, inside := fields(of)
		messages[name(of)] = lines
		waiting = append(waiting, inside...)
	}
	print(messages)
}

func print(messages map[string][]string) {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	names := []string{}
	for name := range messages {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintln(out, name)
		for _, line := range messages[name] {
			fmt.Fprintln(out, "", line)
		}
	}
}

// name is that of a message: the group's first part, version and type, or "meta/v1.ObjectMeta".
func name(of reflect.Type) string {
	parts := strings.Split(of.PkgPath(), "/")
	return strings.Join(parts[len(parts)-2:], "/") + "." + of.Name()
}

// fields describes the fields of a message, and answers with the messages that it holds.
func fields(of reflect.Type) (lines []string, inside []reflect.Type) {
	for index := range of.NumField() {
		field := of.Field(index)
		wire := strings.Split(field.Tag.Get("protobuf"), ",")
		if len(wire) < 2 {
			continue
		}
		shown, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if strings.Contains(options, "inline") {
			shown = "-"
		}
		holds, message := kind(field.Type)
		if message != nil {
			inside = append(inside, message)
		}
		lines = append(lines, strings.Join([]string{wire[1], shown, holds}, " "))
	}
	return lines, inside
}

// kind says what a field of this type holds: with * several, with ? one whose zero is meant, with "map" values by text.
func kind(of reflect.Type) (string, reflect.Type) {
	if known, ok := special[of]; ok {
		return known, nil
	}
	switch of.Kind() {
	case reflect.Pointer:
		inner, message := kind(of.Elem())
		return inner + "?", message
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return "bytes", nil
		}
		// A list with a name of its own is a message around its items.
		if of.PkgPath() != "" && of.Elem().Kind() == reflect.String {
			return "texts", nil
		}
		inner, message := kind(of.Elem())
		return inner + "*", message
	case reflect.Map:
		inner, message := kind(of.Elem())
		return "map " + inner, message
	case reflect.String:
		return "text", nil
	case reflect.Bool:
		return "flag", nil
	case reflect.Int32, reflect.Int64:
		return "integer", nil
	case reflect.Struct:
		return name(of), of
	}
	panic(fmt.Sprint("no name for ", of))
}
