package dev.vllmmlx.text.jinja;

import java.util.List;

/** A cursor over tokens; the last one is {@link TokenType#EOF} and never passed. */
final class TokenStream {
  private final List<Token> tokens;
  private int index;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
    requireReadable(current());
  }

  private static void requireReadable(Token token) {
    if (token.value() instanceof TemplateException e) {
      throw e;
    }
  }

  Token current() {
    return tokens.get(index);
  }

  Token look() {
    var token = tokens.get(Math.min(index + 1, tokens.size() - 1));
    requireReadable(token);
    return token;
  }

  /** Returns the current token and moves on. */
  Token next() {
    var token = current();
    if (!token.is(TokenType.EOF)) {
      index++;
      requireReadable(current());
    }
    return token;
  }

  int line() {
    return current().line();
  }

  boolean at(TokenType type) {
    return current().is(type);
  }

  boolean atName(String name) {
    return current().isName(name);
  }

  boolean skipIf(TokenType type) {
    if (at(type)) {
      next();
      return true;
    }
    return false;
  }

  boolean skipIfName(String name) {
    if (atName(name)) {
      next();
      return true;
    }
    return false;
  }

  Token expect(TokenType type) {
    if (!at(type)) {
      throw unexpected(type.description());
    }
    return next();
  }

  Token expectName(String name) {
    if (!atName(name)) {
      throw unexpected(name);
    }
    return next();
  }

  private TemplateException unexpected(String expected) {
    var quoted = PyRepr.repr(expected);
    return at(TokenType.EOF)
        ? fail("unexpected end of template, expected " + quoted + ".")
        : fail("expected token " + quoted + ", got " + PyRepr.repr(current().description()));
  }

  TemplateException fail(String message) {
    return TemplateException.syntax(message, line());
  }
}
