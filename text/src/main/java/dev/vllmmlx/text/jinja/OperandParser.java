package dev.vllmmlx.text.jinja;

import dev.vllmmlx.text.jinja.Expression.CallArguments;
import dev.vllmmlx.text.jinja.Expression.Keyword;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/** Builds what operators stand between: literals, names, and what follows these. */
final class OperandParser {
  private final TokenStream stream;
  private final ExpressionParser expressions;

  OperandParser(TokenStream stream, ExpressionParser expressions) {
    this.stream = stream;
    this.expressions = expressions;
  }

  Expression primary(boolean withNamespace) {
    var token = stream.current();
    switch (token.type()) {
      case NAME -> {
        stream.next();
        return name(token.text(), withNamespace);
      }
      case STRING -> {
        var text = new StringBuilder();
        while (stream.at(TokenType.STRING)) {
          text.append(stream.next().text());
        }
        return new Expression.Constant(text.toString());
      }
      case INTEGER, FLOAT -> {
        stream.next();
        return new Expression.Constant(token.value());
      }
      case LPAREN -> {
        stream.next();
        var inner = expressions.tuple(true, true);
        stream.expect(TokenType.RPAREN);
        return inner;
      }
      case LBRACKET -> {
        return list();
      }
      case LBRACE -> {
        return dict();
      }
      default -> throw stream.fail("unexpected " + PyRepr.repr(token.description()));
    }
  }

  private Expression name(String name, boolean withNamespace) {
    return switch (name) {
      case "true", "True" -> new Expression.Constant(true);
      case "false", "False" -> new Expression.Constant(false);
      case "none", "None" -> new Expression.Constant(null);
      default -> {
        if (withNamespace && stream.skipIf(TokenType.DOT)) {
          yield new Expression.NamespaceTarget(name, stream.expect(TokenType.NAME).text());
        }
        yield new Expression.Name(name);
      }
    };
  }

  private Expression list() {
    stream.next();
    var items = new ArrayList<Expression>();
    while (!stream.at(TokenType.RBRACKET)) {
      if (!items.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      if (stream.at(TokenType.RBRACKET)) {
        break;
      }
      items.add(expressions.expression());
    }
    stream.next();
    return new Expression.ListOf(List.copyOf(items));
  }

  private Expression dict() {
    stream.next();
    var keys = new ArrayList<Expression>();
    var values = new ArrayList<Expression>();
    while (!stream.at(TokenType.RBRACE)) {
      if (!keys.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      if (stream.at(TokenType.RBRACE)) {
        break;
      }
      keys.add(expressions.expression());
      stream.expect(TokenType.COLON);
      values.add(expressions.expression());
    }
    stream.next();
    return new Expression.DictOf(List.copyOf(keys), List.copyOf(values));
  }

  Expression postfix(Expression start) {
    var node = start;
    while (true) {
      switch (stream.current().type()) {
        case DOT -> node = attribute(node);
        case LBRACKET -> node = subscript(node);
        case LPAREN -> node = call(node);
        default -> {
          return node;
        }
      }
    }
  }

  Expression filtersAndTests(Expression start) {
    var node = start;
    while (true) {
      if (stream.at(TokenType.PIPE)) {
        node = filters(node);
      } else if (stream.atName("is")) {
        node = test(node);
      } else if (stream.at(TokenType.LPAREN)) {
        node = call(node);
      } else {
        return node;
      }
    }
  }

  private Expression attribute(Expression object) {
    stream.next();
    var token = stream.next();
    return switch (token.type()) {
      case NAME -> new Expression.Attribute(object, token.text());
      case INTEGER -> new Expression.Item(object, new Expression.Constant(token.value()));
      default -> throw TemplateException.syntax("expected name or number", token.line());
    };
  }

  private Expression subscript(Expression object) {
    stream.next();
    var keys = new ArrayList<Expression>();
    while (!stream.at(TokenType.RBRACKET)) {
      if (!keys.isEmpty()) {
        stream.expect(TokenType.COMMA);
      }
      keys.add(keyOrSlice());
    }
    stream.next();
    var key = keys.size() == 1 ? keys.getFirst() : new Expression.TupleOf(List.copyOf(keys));
    return new Expression.Item(object, key);
  }

  private Expression keyOrSlice() {
    Expression start = null;
    if (!stream.at(TokenType.COLON)) {
      start = expressions.expression();
      if (!stream.at(TokenType.COLON)) {
        return start;
      }
    }
    stream.next();
    var stop = atBoundEnd() || stream.at(TokenType.COLON) ? null : expressions.expression();
    Expression step = null;
    if (stream.skipIf(TokenType.COLON) && !atBoundEnd()) {
      step = expressions.expression();
    }
    return new Expression.Slice(start, stop, step);
  }

  private boolean atBoundEnd() {
    return stream.at(TokenType.RBRACKET) || stream.at(TokenType.COMMA);
  }

  private Expression call(Expression callee) {
    int line = stream.line();
    return new Expression.Call(callee, callArguments(), line);
  }

  private CallArguments callArguments() {
    int line = stream.expect(TokenType.LPAREN).line();
    var positional = new ArrayList<Expression>();
    var keywords = new ArrayList<Keyword>();
    var names = new HashSet<String>();
    Expression spread = null;
    Expression spreadKeywords = null;
    boolean comma = false;
    while (!stream.at(TokenType.RPAREN)) {
      if (comma) {
        stream.expect(TokenType.COMMA);
        if (stream.at(TokenType.RPAREN)) {
          break;
        }
      }
      comma = true;
      if (stream.at(TokenType.MUL)) {
        require(spread == null && spreadKeywords == null, line);
        stream.next();
        spread = expressions.expression();
      } else if (stream.at(TokenType.POW)) {
        require(spreadKeywords == null, line);
        stream.next();
        spreadKeywords = expressions.expression();
      } else if (stream.at(TokenType.NAME) && stream.look().is(TokenType.ASSIGN)) {
        require(spreadKeywords == null, line);
        var name = stream.next().text();
        stream.next();
        if (!names.add(name)) {
          throw TemplateException.syntax("keyword argument repeated: " + name, line);
        }
        keywords.add(new Keyword(name, expressions.expression()));
      } else {
        require(spread == null && spreadKeywords == null && keywords.isEmpty(), line);
        positional.add(expressions.expression());
      }
    }
    stream.expect(TokenType.RPAREN);
    return new CallArguments(
        List.copyOf(positional), List.copyOf(keywords), spread, spreadKeywords);
  }

  private void require(boolean valid, int line) {
    if (!valid) {
      throw TemplateException.syntax("invalid syntax for function call expression", line);
    }
  }

  /**
   * The filters that follow, applied to {@code operand}; {@code operand} itself if there are none.
   */
  Expression filters(Expression operand) {
    var node = operand;
    while (stream.skipIf(TokenType.PIPE)) {
      node = filter(node);
    }
    return node;
  }

  /** The filter whose name is current. */
  Expression filter(Expression operand) {
    var token = stream.expect(TokenType.NAME);
    var name = dottedName(token);
    var arguments = stream.at(TokenType.LPAREN) ? callArguments() : CallArguments.NONE;
    return new Expression.Filter(operand, name, arguments, token.line());
  }

  private String dottedName(Token first) {
    var name = first.text();
    while (stream.skipIf(TokenType.DOT)) {
      name += "." + stream.expect(TokenType.NAME).text();
    }
    return name;
  }

  private Expression test(Expression operand) {
    int line = stream.next().line();
    boolean negated = stream.skipIfName("not");
    var name = dottedName(stream.expect(TokenType.NAME));
    var arguments = CallArguments.NONE;
    if (stream.at(TokenType.LPAREN)) {
      arguments = callArguments();
    } else if (atTestArgument()) {
      if (stream.atName("is")) {
        throw stream.fail("You cannot chain multiple tests with is");
      }
      arguments = new CallArguments(List.of(postfix(primary(false))), List.of(), null, null);
    }
    var test = new Expression.Test(operand, name, arguments, line);
    return negated ? new Expression.Not(test) : test;
  }

  private boolean atTestArgument() {
    var token = stream.current();
    return switch (token.type()) {
      case NAME -> !token.isName("else") && !token.isName("or", "and");
      case STRING, INTEGER, FLOAT, LBRACKET, LBRACE -> true;
      default -> false;
    };
  }
}
