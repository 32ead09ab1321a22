package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

const separator = "\n---\n"

// Print templates of a chart with its default values, as `helm template` would: a chart is Go's
// templates and a few functions more. Only those that cert-manager's chart calls are here.
func printChart(directory string, names []string) error {
	values, err := os.ReadFile(filepath.Join(directory, "values.yaml"))
	if err != nil {
		return err
	}
	data := map[string]any{
		"Chart":   map[string]any{"Name": namespace, "Version": "0", "AppVersion": "0"},
		"Release": map[string]any{"Name": namespace, "Namespace": namespace, "Service": "Helm"},
	}
	filled := map[string]any{}
	if err := yaml.Unmarshal(values, &filled); err != nil {
		return err
	}
	data["Values"] = filled
	chart, err := parsed(filepath.Join(directory, "templates"), append([]string{"_helpers.tpl"}, names...))
	if err != nil {
		return err
	}
	for _, name := range names {
		os.Stdout.WriteString(separator)
		if err := chart.ExecuteTemplate(os.Stdout, name, data); err != nil {
			return err
		}
	}
	return nil
}

func parsed(directory string, names []string) (*template.Template, error) {
	chart := template.New("chart").Option("missingkey=zero")
	chart.Funcs(functions(chart))
	for i, name := range names {
		names[i] = filepath.Join(directory, name)
	}
	return chart.ParseFiles(names...)
}

func functions(chart *template.Template) template.FuncMap {
	return template.FuncMap{
		"contains":   func(part, text string) bool { return strings.Contains(text, part) },
		"default":    orDefault,
		"fail":       func(why string) (string, error) { return "", errors.New(why) },
		"include":    func(name string, data any) (string, error) { return included(chart, name, data) },
		"nindent":    nindent,
		"quote":      func(text string) string { return strconv.Quote(text) },
		"replace":    func(old, new, text string) string { return strings.ReplaceAll(text, old, new) },
		"toYaml":     toYAML,
		"trimSuffix": func(end, text string) string { return strings.TrimSuffix(text, end) },
		"trunc":      func(most int, text string) string { return text[:min(most, len(text))] },
	}
}

func orDefault(fallback, given any) any {
	if set, _ := template.IsTrue(given); set {
		return given
	}
	return fallback
}

func included(chart *template.Template, name string, data any) (string, error) {
	var text strings.Builder
	err := chart.ExecuteTemplate(&text, name, data)
	return text.String(), err
}

func nindent(spaces int, text string) string {
	return "\n" + strings.Repeat(" ", spaces) + strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", spaces))
}

func toYAML(value any) (string, error) {
	text, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}
