package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Expression.Call;
import dev.vllmmlx.text.jinja.Expression.Filter;
import dev.vllmmlx.text.jinja.Statement.Elif;
import dev.vllmmlx.text.jinja.Statement.MacroBody;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Builds the tree of statements. */
final class Parser {
  private final TokenStream stream;
  private final ExpressionParser expressions;
  private final Deque<String> openTags = new ArrayDeque<>();
  private final Deque<List<String>> awaited = new ArrayDeque<>();

  private Parser(TokenStream stream) {
    this.stream = stream;
    this.expressions = new ExpressionParser(stream);
  }

  static List<Statement> parse(String template) {
    return new Parser(new TokenStream(Lexer.tokenize(template))).statements(List.of());
  }

  /** Parses until one of the end tags, which stays current, or to the end if there are none. */
  private List<Statement> statements(List<String> endTags) {
    var body = new ArrayList<Statement>();
    if (!endTags.isEmpty()) {
      awaited.push(endTags);
    }
    while (!stream.at(TokenType.EOF)) {
      var token = stream.next();
      switch (token.type()) {
        case DATA -> body.add(new Statement.Text(token.text(), token.line()));
        case VARIABLE_BEGIN -> {
          body.add(new Statement.Output(expressions.tuple(true), token.line()));
          stream.expect(TokenType.VARIABLE_END);
        }
        case BLOCK_BEGIN -> {
          if (stream.at(TokenType.NAME) && endTags.contains(stream.current().text())) {
            awaited.pop();
            return List.copyOf(body);
          }
          body.addAll(statement());
          stream.expect(TokenType.BLOCK_END);
        }
        default -> throw stream.fail("unexpected " + PyRepr.repr(token.description()));
      }
    }
    if (!endTags.isEmpty()) {
      throw openAtEnd(null);
    }
    return List.copyOf(body);
  }

  /** The body of a statement, from its tag's end to one of the end tags, which becomes current. */
  private List<Statement> body(String... endTags) {
    stream.skipIf(TokenType.COLON);
    stream.expect(TokenType.BLOCK_END);
    return statements(List.of(endTags));
  }

  private List<Statement> bodyDroppingEnd(String endTag) {
    var body = body(endTag);
    stream.next();
    return body;
  }

  private TemplateException openAtEnd(String unknownTag) {
    var message = new StringBuilder();
    message.append(
        unknownTag == null
            ? "Unexpected end of template."
            : "Encountered unknown tag " + PyRepr.repr(unknownTag) + ".");
    if (!awaited.isEmpty()) {
      var looking = awaited.peek().stream().map(PyRepr::repr).collect(Collectors.joining(" or "));
      boolean nesting =
          unknownTag != null && awaited.stream().anyMatch(e -> e.contains(unknownTag));
      message.append(
          nesting
              ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently"
                  + " looking for "
                  + looking
                  + "."
              : " Jinja was looking for the following tags: " + looking + ".");
    }
    if (!openTags.isEmpty()) {
      message
          .append(" The innermost block that needs to be closed is ")
          .append(PyRepr.repr(openTags.peek()))
          .append('.');
    }
    return stream.fail(message.toString());
  }

  private List<Statement> statement() {
    var token = stream.current();
    if (!token.is(TokenType.NAME)) {
      throw stream.fail("tag name expected");
    }
    int line = token.line();
    openTags.push(token.text());
    var parsed =
        switch (token.text()) {
          case "for" -> List.of(forLoop(line));
          case "if" -> List.of(conditional(line));
          case "block" -> List.of(block(line));
          case "extends" -> List.of(load(line, true));
          case "print" -> print(line);
          case "macro" -> List.of(macro(line));
          case "include" -> List.of(include(line));
          case "from" -> List.of(fromImport(line));
          case "import" -> List.of(importAs(line));
          case "set" -> List.of(set(line));
          case "with" -> List.of(with(line));
          case "autoescape" -> List.of(autoescape(line));
          case "call" -> List.of(callBlock(line));
          case "filter" -> List.of(filterBlock(line));
          case "generation" -> List.of(generation(line));
          case "break" -> {
            stream.next();
            yield List.<Statement>of(new Statement.Break(line));
          }
          case "continue" -> {
            stream.next();
            yield List.<Statement>of(new Statement.Continue(line));
          }
          default -> {
            openTags.pop();
            throw openAtEnd(token.text());
          }
        };
    openTags.pop();
    return parsed;
  }

  private Statement forLoop(int line) {
    stream.next();
    var target = expressions.assignTarget("in", false);
    stream.expectName("in");
    var iterable = expressions.tuple(false, "recursive");
    var test = stream.skipIfName("if") ? expressions.expression() : null;
    boolean recursive = stream.skipIfName("recursive");
    var body = body("endfor", "else");
    List<Statement> otherwise =
        stream.next().isName("endfor") ? List.of() : bodyDroppingEnd("endfor");
    return new Statement.For(
        target,
        iterable,
        body,
        otherwise,
        test,
        recursive,
        new Scope(),
        new Scope(),
        new Scope(),
        line);
  }

  private Statement conditional(int line) {
    stream.next();
    var test = expressions.tuple(false);
    var then = body("elif", "else", "endif");
    var elifs = new ArrayList<Elif>();
    List<Statement> otherwise = List.of();
    for (var token = stream.next(); !token.isName("endif"); token = stream.next()) {
      if (token.isName("else")) {
        otherwise = bodyDroppingEnd("endif");
        break;
      }
      var elifTest = expressions.tuple(false);
      elifs.add(new Elif(elifTest, body("elif", "else", "endif")));
    }
    return new Statement.If(test, then, List.copyOf(elifs), otherwise, line);
  }

  private Statement set(int line) {
    stream.next();
    var target = expressions.assignTarget(null, true);
    if (stream.skipIf(TokenType.ASSIGN)) {
      return new Statement.Set(target, expressions.tuple(true), line);
    }
    var filter = (Filter) expressions.filters(null);
    return new Statement.SetBlock(target, filter, bodyDroppingEnd("endset"), new Scope(), line);
  }

  private Statement with(int line) {
    stream.next();
    var targets = new ArrayList<Expression>();
    var values = new ArrayList<Expression>();
    while (!stream.at(TokenType.BLOCK_END)) {
      if (!targets.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      targets.add(expressions.assignTarget(null, false));
      stream.expect(TokenType.ASSIGN);
      values.add(expressions.expression());
    }
    var body = bodyDroppingEnd("endwith");
    return new Statement.With(List.copyOf(targets), List.copyOf(values), body, new Scope(), line);
  }

  private Statement autoescape(int line) {
    stream.next();
    var enabled = expressions.expression();
    return new Statement.Autoescape(enabled, bodyDroppingEnd("endautoescape"), new Scope(), line);
  }

  private Statement filterBlock(int line) {
    stream.next();
    var filter = (Filter) expressions.filters(expressions.firstFilter());
    return new Statement.FilterBlock(filter, bodyDroppingEnd("endfilter"), new Scope(), line);
  }

  private List<Statement> print(int line) {
    stream.next();
    var outputs = new ArrayList<Statement>();
    while (!stream.at(TokenType.BLOCK_END)) {
      if (!outputs.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      outputs.add(new Statement.Output(expressions.expression(), line));
    }
    return outputs;
  }

  private Statement macro(int line) {
    stream.next();
    var name = stream.expect(TokenType.NAME).text();
    AssignmentTargets.require(name, line);
    var signature = signature();
    return new Statement.Macro(macroBody(name, signature, bodyDroppingEnd("endmacro"), line), line);
  }

  private Statement callBlock(int line) {
    stream.next();
    var signature = stream.at(TokenType.LPAREN) ? signature() : new Signature(List.of(), List.of());
    if (!(expressions.expression() instanceof Call call)) {
      throw TemplateException.syntax("expected call", line);
    }
    var body = macroBody(null, signature, bodyDroppingEnd("endcall"), line);
    return new Statement.CallBlock(body, call, line);
  }

  private Statement generation(int line) {
    stream.next();
    var none = new Signature(List.of(), List.of());
    return new Statement.Generation(
        macroBody(null, none, bodyDroppingEnd("endgeneration"), line), line);
  }

  private record Signature(List<String> parameters, List<Expression> defaults) {}

  private Signature signature() {
    var parameters = new ArrayList<String>();
    var defaults = new ArrayList<Expression>();
    stream.expect(TokenType.LPAREN);
    while (!stream.at(TokenType.RPAREN)) {
      if (!parameters.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      int line = stream.line();
      var parameter = stream.expect(TokenType.NAME).text();
      AssignmentTargets.require(parameter, line);
      if (parameters.contains(parameter)) {
        throw TemplateException.syntax(
            "duplicate argument " + PyRepr.repr(parameter) + " in function definition", line);
      }
      if (stream.skipIf(TokenType.ASSIGN)) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw stream.fail("non-default argument follows default argument");
      }
      parameters.add(parameter);
    }
    stream.expect(TokenType.RPAREN);
    return new Signature(List.copyOf(parameters), List.copyOf(defaults));
  }

  private static MacroBody macroBody(
      String name, Signature signature, List<Statement> body, int line) {
    var free = FreeNames.of(body, List.of("caller", "kwargs", "varargs"));
    var parameters = signature.parameters();
    int caller = parameters.indexOf("caller");
    int firstDefault = parameters.size() - signature.defaults().size();
    if (free.contains("caller") && caller >= 0 && caller < firstDefault) {
      throw TemplateException.syntax(
          "When defining macros or call blocks the special \"caller\" argument must be omitted or"
              + " be given a default.",
          line);
    }
    return new MacroBody(
        name,
        parameters,
        signature.defaults(),
        body,
        new Scope(),
        free.contains("caller") && caller < 0,
        free.contains("kwargs") && !parameters.contains("kwargs"),
        free.contains("varargs") && !parameters.contains("varargs"));
  }

  private Statement block(int line) {
    stream.next();
    var name = stream.expect(TokenType.NAME).text();
    stream.skipIfName("scoped");
    boolean required = stream.skipIfName("required");
    if (stream.at(TokenType.SUB)) {
      throw stream.fail(
          "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use"
              + " an underscore instead.");
    }
    var body = bodyDroppingEnd("endblock");
    if (required && !body.stream().allMatch(Parser::isBlankText)) {
      throw stream.fail("Required blocks can only contain comments or whitespace");
    }
    stream.skipIfName(name);
    return new Statement.Block(name, body, required, new Scope(), line);
  }

  private static boolean isBlankText(Statement statement) {
    return statement instanceof Statement.Text text
        && text.text().chars().allMatch(PyStrings::isSpace);
  }

  private Statement load(int line, boolean extend) {
    stream.next();
    return new Statement.Load(expressions.expression(), List.of(), extend, line);
  }

  private Statement include(int line) {
    var include = load(line, false);
    if (stream.atName("ignore") && stream.look().isName("missing")) {
      stream.next();
      stream.next();
    }
    skipContext();
    return include;
  }

  private boolean skipContext() {
    boolean context =
        Stream.of("with", "without").anyMatch(stream::atName) && stream.look().isName("context");
    if (context) {
      stream.next();
      stream.next();
    }
    return context;
  }

  private Statement importAs(int line) {
    stream.next();
    var template = expressions.expression();
    stream.expectName("as");
    var name = stream.expect(TokenType.NAME).text();
    AssignmentTargets.require(name, line);
    skipContext();
    return new Statement.Load(template, List.of(name), false, line);
  }

  private Statement fromImport(int line) {
    stream.next();
    var template = expressions.expression();
    stream.expectName("import");
    var names = new ArrayList<String>();
    while (true) {
      if (!names.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      if (stream.at(TokenType.NAME) && skipContext()) {
        break;
      }
      var name = stream.expect(TokenType.NAME).text();
      if (name.startsWith("_")) {
        throw stream.fail("names starting with an underline can not be imported");
      }
      names.add(stream.skipIfName("as") ? stream.expect(TokenType.NAME).text() : name);
      if (skipContext() || !stream.at(TokenType.COMMA)) {
        break;
      }
    }
    return new Statement.Load(template, List.copyOf(names), false, line);
  }
}
