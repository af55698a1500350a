package dev.vllmmlx.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens, with {@code trim_blocks} and {@code lstrip_blocks} on and {@code
 * keep_trailing_newline} off. One lexer reads one source.
 */
final class Lexer {
  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private int line = 1;
  private int lineCountedTo;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokenize(String template) {
    var source = template.replace("\r\n", "\n").replace('\r', '\n');
    if (source.endsWith("\n")) {
      source = source.substring(0, source.length() - 1);
    }
    var lexer = new Lexer(source);
    try {
      lexer.readRoot();
      lexer.add(TokenType.EOF, null, source.length());
    } catch (TemplateException e) {
      // Raised when the parser gets there: what it refuses earlier comes first.
      lexer.tokens.add(new Token(TokenType.ERROR, e, e.line()));
    }
    return lexer.tokens;
  }

  private void add(TokenType type, Object value, int start) {
    tokens.add(new Token(type, value, lineOf(start)));
  }

  private int lineOf(int offset) {
    for (; lineCountedTo < offset; lineCountedTo++) {
      if (source.charAt(lineCountedTo) == '\n') {
        line++;
      }
    }
    return line;
  }

  private void readRoot() {
    while (position < source.length()) {
      int open = nextTag(position);
      if (open < 0) {
        add(TokenType.DATA, source.substring(position), position);
        position = source.length();
        return;
      }
      char kind = source.charAt(open + 1);
      int rawEnd = kind == '%' ? rawBeginEnd(open) : -1;
      char sign = signAt(open + 2);
      addData(position, open, sign, kind != '{');
      position = open + 2 + (sign == 0 ? 0 : 1);
      if (rawEnd >= 0) {
        position = rawEnd;
        readRaw(open);
      } else if (kind == '#') {
        readComment(open);
      } else if (kind == '{') {
        add(TokenType.VARIABLE_BEGIN, null, open);
        new TagLexer(true).read();
      } else {
        add(TokenType.BLOCK_BEGIN, null, open);
        new TagLexer(false).read();
      }
    }
  }

  private int nextTag(int from) {
    for (int i = source.indexOf('{', from); i >= 0 && i + 1 < source.length(); ) {
      char next = source.charAt(i + 1);
      if (next == '{' || next == '%' || next == '#') {
        return i;
      }
      i = source.indexOf('{', i + 1);
    }
    return -1;
  }

  private char signAt(int index) {
    char c = charAt(index);
    return c == '-' || c == '+' ? c : 0;
  }

  private char charAt(int index) {
    return index < source.length() ? source.charAt(index) : 0;
  }

  /** Text before a tag, with what the tag strips of it taken off. */
  private void addData(int start, int end, char sign, boolean lstrip) {
    int stop = end;
    if (sign == '-') {
      while (stop > start && PyStrings.isSpace(source.charAt(stop - 1))) {
        stop--;
      }
    } else if (sign != '+' && lstrip) {
      stop = lineStartBefore(start, end);
    }
    if (stop > start) {
      add(TokenType.DATA, source.substring(start, stop), start);
    }
  }

  /**
   * Where the line of a tag at {@code end} starts if only space comes before it, else {@code end}.
   */
  private int lineStartBefore(int start, int end) {
    int at = end;
    while (at > start
        && source.charAt(at - 1) != '\n'
        && PyStrings.isSpace(source.charAt(at - 1))) {
      at--;
    }
    return at == 0 || source.charAt(at - 1) == '\n' ? at : end;
  }

  private int skipSpace(int from) {
    int i = from;
    while (i < source.length() && PyStrings.isSpace(source.charAt(i))) {
      i++;
    }
    return i;
  }

  private int skipNewline(int from) {
    return charAt(from) == '\n' ? from + 1 : from;
  }

  /** Where the text after {@code {% raw %}} starts, or -1 if no such tag opens here. */
  private int rawBeginEnd(int open) {
    int at = skipSpace(open + 2 + (signAt(open + 2) == 0 ? 0 : 1));
    if (!source.startsWith("raw", at)) {
      return -1;
    }
    at = skipSpace(at + 3);
    if (source.startsWith("-%}", at)) {
      return skipSpace(at + 3);
    }
    return source.startsWith("%}", at) ? at + 2 : -1;
  }

  private void readRaw(int open) {
    for (int i = source.indexOf("{%", position); i >= 0; i = source.indexOf("{%", i + 1)) {
      char sign = signAt(i + 2);
      int at = skipSpace(i + 2 + (sign == 0 ? 0 : 1));
      if (!source.startsWith("endraw", at)) {
        continue;
      }
      int end = blockEnd(skipSpace(at + 6));
      if (end >= 0) {
        addData(position, i, sign, true);
        position = end;
        return;
      }
    }
    if (position < source.length()) {
      throw TemplateException.syntax("Missing end of raw directive", lineOf(open));
    }
  }

  private void readComment(int open) {
    int close = source.indexOf("#}", position);
    if (close < 0) {
      if (position < source.length()) {
        throw TemplateException.syntax("Missing end of comment tag", lineOf(open));
      }
      return;
    }
    char sign = close > position ? signAt(close - 1) : 0;
    position =
        sign == '-' ? skipSpace(close + 2) : sign == '+' ? close + 2 : skipNewline(close + 2);
  }

  /**
   * Where the text after a block's end at {@code at} goes on, or -1 if the block does not end
   * there.
   */
  private int blockEnd(int at) {
    if (source.startsWith("-%}", at)) {
      return skipSpace(at + 3);
    }
    if (source.startsWith("+%}", at)) {
      return at + 3;
    }
    return source.startsWith("%}", at) ? skipNewline(at + 2) : -1;
  }

  private int variableEnd(int at) {
    if (source.startsWith("-}}", at)) {
      return skipSpace(at + 3);
    }
    return source.startsWith("}}", at) ? at + 2 : -1;
  }

  /** The inside of a {@code {{ }}} or {@code {% %}}. */
  private final class TagLexer {
    private final boolean variable;
    private final Deque<Character> open = new ArrayDeque<>();

    TagLexer(boolean variable) {
      this.variable = variable;
    }

    void read() {
      while (position < source.length()) {
        if (open.isEmpty()) {
          int end = variable ? variableEnd(position) : blockEnd(position);
          if (end >= 0) {
            add(variable ? TokenType.VARIABLE_END : TokenType.BLOCK_END, null, position);
            position = end;
            return;
          }
        }
        int next = skipSpace(position);
        if (next > position) {
          position = next;
        } else {
          readToken();
        }
      }
    }

    private void readToken() {
      int start = position;
      char c = source.charAt(start);
      if (c >= '0' && c <= '9') {
        var number = NumberLiteral.read(source, start);
        position = number.end();
        add(
            number.value() instanceof Double ? TokenType.FLOAT : TokenType.INTEGER,
            number.value(),
            start);
      } else if (c == '\'' || c == '"') {
        position = StringLiteral.end(source, start);
        if (position < 0) {
          throw unexpectedCharacter(start);
        }
        var raw = source.substring(start + 1, position - 1);
        add(TokenType.STRING, StringLiteral.unescape(raw, lineOf(start)), start);
      } else if (isWord(start)) {
        readName();
      } else {
        readOperator();
      }
    }

    private boolean isWord(int index) {
      int cp = source.codePointAt(index);
      return cp == '_'
          || Character.isLetterOrDigit(cp)
          || Character.isUnicodeIdentifierPart(cp) && !Character.isIdentifierIgnorable(cp);
    }

    private void readName() {
      int start = position;
      while (position < source.length() && isWord(position)) {
        position += Character.charCount(source.codePointAt(position));
      }
      var name = source.substring(start, position);
      int first = name.codePointAt(0);
      if (first != '_' && !Character.isUnicodeIdentifierStart(first)) {
        throw TemplateException.syntax("Invalid character in identifier", lineOf(start));
      }
      add(TokenType.NAME, name.intern(), start);
    }

    private void readOperator() {
      int start = position;
      var type = start + 1 < source.length() ? operator(source.substring(start, start + 2)) : null;
      if (type != null) {
        position += 2;
        add(type, null, start);
        return;
      }
      type = operator(source.substring(start, start + 1));
      if (type == null) {
        throw unexpectedCharacter(start);
      }
      balance(source.charAt(start));
      position++;
      add(type, null, start);
    }

    private void balance(char c) {
      switch (c) {
        case '(' -> open.push(')');
        case '[' -> open.push(']');
        case '{' -> open.push('}');
        case ')', ']', '}' -> {
          if (open.isEmpty()) {
            throw TemplateException.syntax("unexpected '" + c + "'", lineOf(position));
          }
          char expected = open.pop();
          if (expected != c) {
            throw TemplateException.syntax(
                "unexpected '" + c + "', expected '" + expected + "'", lineOf(position));
          }
        }
        default -> {}
      }
    }

    private TemplateException unexpectedCharacter(int at) {
      var character = PyRepr.repr(Character.toString(source.codePointAt(at)));
      int codePoints = source.codePointCount(0, at);
      return TemplateException.syntax(
          "unexpected char " + character + " at " + codePoints, lineOf(at));
    }
  }

  private static TokenType operator(String text) {
    return switch (text) {
      case "+" -> TokenType.ADD;
      case "-" -> TokenType.SUB;
      case "*" -> TokenType.MUL;
      case "/" -> TokenType.DIV;
      case "//" -> TokenType.FLOORDIV;
      case "%" -> TokenType.MOD;
      case "**" -> TokenType.POW;
      case "~" -> TokenType.TILDE;
      case "[" -> TokenType.LBRACKET;
      case "]" -> TokenType.RBRACKET;
      case "(" -> TokenType.LPAREN;
      case ")" -> TokenType.RPAREN;
      case "{" -> TokenType.LBRACE;
      case "}" -> TokenType.RBRACE;
      case "==" -> TokenType.EQ;
      case "!=" -> TokenType.NE;
      case ">" -> TokenType.GT;
      case ">=" -> TokenType.GTEQ;
      case "<" -> TokenType.LT;
      case "<=" -> TokenType.LTEQ;
      case "=" -> TokenType.ASSIGN;
      case "." -> TokenType.DOT;
      case ":" -> TokenType.COLON;
      case "|" -> TokenType.PIPE;
      case "," -> TokenType.COMMA;
      case ";" -> TokenType.SEMICOLON;
      default -> null;
    };
  }
}
