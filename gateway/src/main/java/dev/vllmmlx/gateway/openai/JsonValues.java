package dev.vllmmlx.gateway.openai;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** JSON as the plain Java values that templates take: whole numbers stay whole, order is kept. */
final class JsonValues {
  private JsonValues() {}

  static Map<String, Object> object(JsonNode object) {
    var map = new LinkedHashMap<String, Object>();
    for (var entry : object.properties()) {
      map.put(entry.getKey(), value(entry.getValue()));
    }
    return map;
  }

  private static Object value(JsonNode node) {
    if (node.isObject()) {
      return object(node);
    }
    if (node.isArray()) {
      List<Object> list = new ArrayList<>(node.size());
      node.forEach(item -> list.add(value(item)));
      return list;
    }
    if (node.isString()) {
      return node.stringValue();
    }
    if (node.isBoolean()) {
      return node.booleanValue();
    }
    if (node.isIntegralNumber()) {
      return node.canConvertToLong() ? (Object) node.longValue() : node.bigIntegerValue();
    }
    return node.isNumber() ? node.doubleValue() : null;
  }
}
