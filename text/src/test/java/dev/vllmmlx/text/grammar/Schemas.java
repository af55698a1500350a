package dev.vllmmlx.text.grammar;

import java.util.List;

/** Schemas of many kinds, each with instances that it admits, with keys in the schema's order. */
record Schemas(String name, String schema, List<String> instances) {

  static final List<Schemas> ALL =
      List.of(
          of(
              "colours",
              """
              {"type":"object","properties":{"colors":{"type":"array","items":{"type":"string"}}},
               "required":["colors"]}""",
              "{\"colors\": [\"red\", \"blue\", \"green\"]}",
              "{\"colors\":[]}",
              "{\"colors\": [\"s\u00e9pia \\\"q\\\" \\\\ \\n \u4e2d\u6587\"], \"more\": {\"x\": null}}",
              "{\n  \"colors\": [\n    \"a\"\n  ]\n}"),
          of(
              "person",
              """
              {"type":"object","additionalProperties":false,
               "properties":{"name":{"type":"string","minLength":1,"maxLength":20},
                             "age":{"type":"integer","minimum":0,"maximum":150},
                             "email":{"type":["string","null"]},
                             "score":{"type":"number","exclusiveMinimum":0,"maximum":1}},
               "required":["name","age","email","score"]}""",
              "{\"name\": \"Ann\", \"age\": 42, \"email\": null, \"score\": 0.25}",
              "{\"name\":\"\u00d8\",\"age\":0,\"email\":\"a@b\",\"score\":1}"),
          of(
              "enumeration",
              """
              {"enum":["red","green",3,null,true,{"a":[1,2]}]}""",
              "\"red\"",
              "3",
              "null",
              "{\"a\": [1, 2]}"),
          of(
              "union",
              """
              {"anyOf":[{"type":"object","properties":{"kind":{"const":"circle"},"radius":{"type":"number"}},
                         "required":["kind","radius"],"additionalProperties":false},
                        {"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number"}},
                         "required":["kind","side"],"additionalProperties":false}]}""",
              "{\"kind\": \"circle\", \"radius\": 1.5}",
              "{\"kind\": \"square\", \"side\": -2}"),
          of(
              "exactlyOne",
              """
              {"oneOf":[{"type":"object","properties":{"t":{"const":"a"}},"required":["t"],"additionalProperties":false},
                        {"type":"object","properties":{"t":{"const":"b"}},"required":["t"],"additionalProperties":false}]}""",
              "{\"t\": \"a\"}",
              "{\"t\":\"b\"}"),
          of(
              "tree",
              """
              {"$ref":"#/$defs/node",
               "$defs":{"node":{"type":"object","additionalProperties":false,
                 "properties":{"value":{"type":"integer"},
                               "children":{"type":"array","maxItems":2,"items":{"$ref":"#/$defs/node"}}},
                 "required":["value"]}}}""",
              "{\"value\": 1, \"children\": [{\"value\": -20}, {\"value\": 3, \"children\": []}]}",
              "{\"value\":0}"),
          of(
              "tuple",
              """
              {"type":"array","prefixItems":[{"type":"string"},{"type":"boolean"}],
               "items":{"type":"integer"},"minItems":2,"maxItems":4}""",
              "[\"x\", true]",
              "[\"\", false, 1, 2]"),
          of(
              "patterns",
              """
              {"type":"object","properties":{"id":{"type":"string","pattern":"^[A-Z]{2}-\\\\d{3,5}$"},
                "when":{"type":"string","format":"date-time"},"who":{"type":"string","format":"uuid"}},
               "required":["id","when","who"],"additionalProperties":false}""",
              "{\"id\": \"AB-1234\", \"when\": \"2024-05-06T07:08:09Z\", \"who\":"
                  + " \"123e4567-e89b-12d3-a456-426614174000\"}"),
          of(
              "names",
              """
              {"type":"object","patternProperties":{"^n_":{"type":"integer"}},
               "additionalProperties":{"type":"boolean"}}""",
              "{\"n_a\": 1, \"b\": true}",
              "{}"),
          of(
              "multiples",
              """
              {"type":"array","items":{"type":"integer","multipleOf":5,"minimum":-20,"maximum":1000},"minItems":1}""",
              "[5, -20, 1000]",
              "[0]"),
          of(
              "both",
              """
              {"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},
                        {"type":"object","properties":{"b":{"type":"integer"}},"required":["b"]}]}""",
              "{\"a\": \"\", \"b\": 7}"),
          of("anything", "true", "[1, {\"a\": null}, \"\", 1.5e10, false]", "\"x\""),
          of(
              "optional",
              """
              {"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}},
               "additionalProperties":false,"minProperties":1}""",
              "{\"a\": null}",
              "{\"b\": null, \"c\": null}"));

  private static Schemas of(String name, String schema, String... instances) {
    return new Schemas(name, schema, List.of(instances));
  }

  @Override
  public String toString() {
    return name;
  }
}
