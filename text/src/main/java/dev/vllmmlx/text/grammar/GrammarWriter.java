package dev.vllmmlx.text.grammar;

import dev.vllmmlx.spi.Constraint;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ArrayNode;

/**
 * Writes a constraint in llguidance's notation: a Lark grammar that names others, which are Lark or
 * JSON Schema. Used once.
 *
 * <p>Two things of that notation matter here. A rule with {@code suffix} is lazy: it ends at the
 * first place where its suffix stands, and text cannot run over it. A special token is no text, so
 * that {@code <[id]>} ends any text before it.
 */
final class GrammarWriter {
  private static final String ANY_TEXT = "/(?s:.*)/";

  private final TokenBytes vocabulary;
  private final StringBuilder rules = new StringBuilder();
  private final ArrayNode nested = JsonSchemaSource.JSON.createArrayNode();
  private int names;

  private GrammarWriter(TokenBytes vocabulary) {
    this.vocabulary = vocabulary;
  }

  static NativeSource write(Constraint constraint, TokenBytes vocabulary) {
    return switch (constraint) {
      case Constraint.JsonObject(var whitespace) -> json(JsonSchemaSource.anyObject(), whitespace);
      case Constraint.JsonSchema(var schema, var strict, var whitespace) ->
          json(JsonSchemaSource.parse(schema, strict), whitespace);
      case Constraint.Grammar(var grammar) -> new NativeSource("lark", lark(grammar));
      default -> new GrammarWriter(vocabulary).composed(constraint);
    };
  }

  private static NativeSource json(JsonSchemaSource schema, Constraint.JsonWhitespace whitespace) {
    return new NativeSource("json_schema", checked(schema).withOptions(whitespace).toString());
  }

  private static JsonSchemaSource checked(JsonSchemaSource schema) {
    SchemaCost.check(schema.schema());
    var keywords = new SchemaKeywords(schema.schema());
    keywords.checkNumbers();
    var patterns = keywords.patternsNotKept();
    if (schema.strict() && !patterns.isEmpty()) {
      var first = patterns.getFirst();
      throw new ConstraintException.Unsupported(first.keyword(), first.path(), first.why());
    }
    return schema;
  }

  private static String lark(String grammar) {
    var lark = GbnfGrammar.isGbnf(grammar) ? GbnfGrammar.toLark(grammar) : grammar;
    LarkNesting.check(lark);
    return lark;
  }

  private NativeSource composed(Constraint constraint) {
    var start = expression(constraint);
    var main = "start: " + start + "\n" + rules;
    if (nested.isEmpty()) {
      return new NativeSource("lark", main);
    }
    nested.insertObject(0).put("name", "main").put("lark_grammar", main);
    return new NativeSource(
        "llguidance", JsonSchemaSource.JSON.createObjectNode().set("grammars", nested).toString());
  }

  /** A Lark expression, which may stand anywhere in a rule. */
  private String expression(Constraint constraint) {
    return switch (constraint) {
      case Constraint.None() -> ANY_TEXT;
      case Constraint.Regex(var pattern) -> regex(pattern);
      case Constraint.Choice(var texts) -> choice(texts);
      case Constraint.Text(var text) -> group(pieces(vocabulary.pieces(text)));
      case Constraint.Sequence(var parts) ->
          group(parts.stream().map(this::expression).collect(Collectors.joining(" ")));
      case Constraint.Either(var options) -> either(options);
      case Constraint.Repeat repeat -> repeat(repeat);
      case Constraint.Until(var end) -> until(end);
      case Constraint.Triggered triggered -> triggered(triggered);
      case Constraint.JsonObject(var whitespace) ->
          reference("json_schema", JsonSchemaSource.anyObject(), whitespace);
      case Constraint.JsonSchema(var schema, var strict, var whitespace) ->
          reference("json_schema", JsonSchemaSource.parse(schema, strict), whitespace);
      case Constraint.Grammar(var grammar) -> {
        var name = name("g");
        nested.addObject().put("name", name).put("lark_grammar", lark(grammar));
        yield "@" + name;
      }
      case Constraint.ToolCalls _ ->
          throw new IllegalArgumentException(
              "calls of tools are compiled as the text of the model's format");
    };
  }

  private String reference(
      String kind, JsonSchemaSource schema, Constraint.JsonWhitespace whitespace) {
    var name = name("g");
    nested.addObject().put("name", name).set(kind, checked(schema).withOptions(whitespace));
    return "@" + name;
  }

  private static String group(String expression) {
    return expression.isEmpty() ? "\"\"" : "(" + expression + ")";
  }

  private String name(String kind) {
    return kind + names++;
  }

  private String rule(String attributes, String body) {
    var name = name("r");
    rules.append(name).append(attributes).append(": ").append(body).append('\n');
    return name;
  }

  private String choice(List<String> texts) {
    if (texts.isEmpty()) {
      throw new ConstraintException.Invalid("a choice needs at least one text");
    }
    var terminal = name("T");
    rules
        .append(terminal)
        .append(": ")
        .append(texts.stream().map(GrammarWriter::literal).collect(Collectors.joining(" | ")))
        .append('\n');
    return terminal;
  }

  private String either(List<Constraint> options) {
    if (options.isEmpty()) {
      throw new ConstraintException.Invalid("an alternative needs at least one option");
    }
    return group(options.stream().map(this::expression).collect(Collectors.joining(" | ")));
  }

  private String repeat(Constraint.Repeat repeat) {
    var item = rule("", expression(repeat.item()));
    return repeat.max() < 0
        ? item + "{" + repeat.min() + ",}"
        : repeat.max() == 0 ? "\"\"" : item + "{" + repeat.min() + "," + repeat.max() + "}";
  }

  private String until(String end) {
    var pieces = vocabulary.pieces(end);
    return switch (pieces.getFirst()) {
      case TokenBytes.Piece.Special _ -> group(ANY_TEXT + " " + pieces(pieces));
      case TokenBytes.Piece.Text(var text) when pieces.size() == 1 ->
          rule("[suffix=" + literal(text) + "]", ANY_TEXT);
      case TokenBytes.Piece.Text(var text) -> {
        // Not lazy: the text may stand there alone, too; the special token behind it says where
        // the end is.
        var terminal = name("T");
        rules.append("%s: %s %s\n".formatted(terminal, ANY_TEXT, literal(text)));
        yield group(terminal + " " + pieces(pieces.subList(1, pieces.size())));
      }
    };
  }

  private String triggered(Constraint.Triggered triggered) {
    var parts =
        group(
            triggered.triggers().stream()
                .map(each -> group(until(each.opening()) + " " + expression(each.then())))
                .collect(Collectors.joining(" | ")));
    var part = rule("", parts);
    var tail = rule("", ANY_TEXT);
    var max = triggered.max();
    if (max < 0) {
      return "(%s* %s)".formatted(part, tail);
    }
    return max == 1
        ? "(%s | %s)".formatted(tail, part)
        : "(%1$s{0,%3$d} %2$s | %1$s{%4$d})".formatted(part, tail, max - 1, max);
  }

  private static String pieces(List<TokenBytes.Piece> pieces) {
    return pieces.stream()
        .map(
            piece ->
                switch (piece) {
                  case TokenBytes.Piece.Text(var text) -> literal(text);
                  case TokenBytes.Piece.Special(var id) -> "<[" + id + "]>";
                })
        .collect(Collectors.joining(" "));
  }

  /** A text in quotes, as Lark has it. */
  static String literal(String text) {
    var out = new StringBuilder("\"");
    for (var i = 0; i < text.length(); i++) {
      var c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ' || c == 0x7F) {
        out.append("\\u%04x".formatted((int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }

  /**
   * A regular expression between slashes, matched as a whole. {@code \\d}, {@code \\w} and {@code
   * \\s} and their opposites are ASCII's: what Java and JavaScript mean by them, and Python, too.
   */
  private static String regex(String pattern) {
    RegexSize.check(pattern);
    var bare = withoutAnchors(pattern);
    if (bare.isEmpty()) {
      return "\"\"";
    }
    var out = new StringBuilder("/(?:");
    var inClass = false;
    for (var i = 0; i < bare.length(); i++) {
      var c = bare.charAt(i);
      switch (c) {
        case '/' -> out.append("\\/");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\\' -> {
          if (++i == bare.length()) {
            throw new ConstraintException.Invalid(
                "the regular expression ends with a lone backslash");
          }
          var letter = bare.charAt(i);
          var ascii = asciiClass(Character.toLowerCase(letter));
          if (ascii.isEmpty()) {
            out.append('\\').append(letter);
          } else if (Character.isUpperCase(letter)) {
            out.append("[^").append(ascii).append(']');
          } else {
            out.append(inClass ? ascii : "[" + ascii + "]");
          }
        }
        default -> {
          inClass = inClass ? c != ']' : c == '[';
          out.append(c);
        }
      }
    }
    return out.append(")/").toString();
  }

  private static String asciiClass(char letter) {
    return switch (letter) {
      case 'd' -> "0-9";
      case 'w' -> "0-9a-zA-Z_";
      case 's' -> " \\t\\n\\r\\f\\v";
      default -> "";
    };
  }

  /** Anchors around the whole say what is so in any case. */
  private static String withoutAnchors(String pattern) {
    var from = pattern.startsWith("^") ? 1 : 0;
    var to = pattern.length();
    if (to > from && pattern.endsWith("$")) {
      var backslashes = 0;
      while (to - 2 - backslashes >= from && pattern.charAt(to - 2 - backslashes) == '\\') {
        backslashes++;
      }
      to -= backslashes % 2 == 0 ? 1 : 0;
    }
    // ^a|b$ is (^a)|(b$): taking the anchors off would change it.
    return hasTopLevelBar(pattern.substring(from, to)) ? pattern : pattern.substring(from, to);
  }

  private static boolean hasTopLevelBar(String pattern) {
    var depth = 0;
    var inClass = false;
    for (var i = 0; i < pattern.length(); i++) {
      switch (pattern.charAt(i)) {
        case '\\' -> i++;
        case '[' -> inClass = true;
        case ']' -> inClass = false;
        case '(' -> depth += inClass ? 0 : 1;
        case ')' -> depth -= inClass ? 0 : 1;
        case '|' -> {
          if (depth == 0 && !inClass) {
            return true;
          }
        }
        default -> {}
      }
    }
    return false;
  }
}
