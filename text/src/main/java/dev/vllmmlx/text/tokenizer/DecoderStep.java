package dev.vllmmlx.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One step from tokens to text, as the {@code decoder} of a tokenizer.json names it, working on a
 * stream of pieces: a piece is one token until {@link Fuse} or {@link ByteLevel}, then any part of
 * the one text they make. What Rust's {@code tokenizers} does to the whole list at once comes out
 * here piece by piece, held back no longer than needed.
 */
sealed interface DecoderStep {

  /** Takes pieces in order, and the end of the stream. */
  interface Pieces {
    void take(String piece);

    void end();
  }

  /** A fresh stream through this step into {@code next}. */
  Pieces into(Pieces next);

  /** What {@code token} is after this step when it stands in the middle of a text. */
  default String inner(String token) {
    return token;
  }

  /** The bytes {@code token} stands for, where this step is the one that knows. */
  default Optional<byte[]> bytes(String token) {
    return Optional.empty();
  }

  /** Replaces every match in each token. */
  record Replace(Pattern pattern, String content) implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        @Override
        public void take(String piece) {
          next.take(inner(piece));
        }
      };
    }

    @Override
    public String inner(String token) {
      return pattern.matcher(token).replaceAll(java.util.regex.Matcher.quoteReplacement(content));
    }
  }

  /**
   * A run of {@code <0xNN>} tokens is UTF-8; a run that is not wholly valid is one U+FFFD for each
   * of its bytes, so that a run's text is known only at its end.
   */
  record ByteFallback() implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        private final java.io.ByteArrayOutputStream run = new java.io.ByteArrayOutputStream();

        @Override
        public void take(String piece) {
          var bytes = bytes(piece);
          if (bytes.isPresent()) {
            run.writeBytes(bytes.get());
          } else {
            endRun();
            next.take(piece);
          }
        }

        @Override
        public void end() {
          endRun();
          next.end();
        }

        private void endRun() {
          if (run.size() > 0) {
            next.take(textOf(run.toByteArray()));
            run.reset();
          }
        }
      };
    }

    private static String textOf(byte[] run) {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(run)).toString();
      } catch (java.nio.charset.CharacterCodingException notText) {
        return "\uFFFD".repeat(run.length);
      }
    }

    @Override
    public Optional<byte[]> bytes(String token) {
      if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
        return Optional.empty();
      }
      var high = Character.digit(token.charAt(3), 16);
      var low = Character.digit(token.charAt(4), 16);
      return high < 0 || low < 0
          ? Optional.empty()
          : Optional.of(new byte[] {(byte) (high << 4 | low)});
    }
  }

  /** From here on all tokens are one. */
  record Fuse() implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return next;
    }
  }

  /** Tokens are written in the {@link ByteAlphabet}; their bytes together are UTF-8. */
  record ByteLevel() implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        private final Utf8Stream utf8 = new Utf8Stream();

        @Override
        public void take(String piece) {
          next.take(utf8.feed(ByteAlphabet.bytesOf(piece)));
        }

        @Override
        public void end() {
          next.take(utf8.flush());
          next.end();
        }
      };
    }

    @Override
    public Optional<byte[]> bytes(String token) {
      return Optional.of(ByteAlphabet.bytesOf(token));
    }
  }

  /** The replacement character is a space; the first token loses its own when one was prepended. */
  record Metaspace(String replacement, boolean prepended) implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        private boolean first = true;

        @Override
        public void take(String piece) {
          next.take(first && prepended ? piece.replace(replacement, "") : inner(piece));
          first = false;
        }
      };
    }

    @Override
    public String inner(String token) {
      return token.replace(replacement, " ");
    }
  }

  /** Words are apart unless a token begins with the continuation prefix. */
  record WordPiece(String prefix, boolean cleanup) implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        private boolean first = true;

        @Override
        public void take(String piece) {
          next.take(first ? clean(piece) : inner(piece));
          first = false;
        }
      };
    }

    @Override
    public String inner(String token) {
      return clean(token.startsWith(prefix) ? token.substring(prefix.length()) : " " + token);
    }

    private String clean(String token) {
      return cleanup ? SpaceCleanup.WORD_PIECE.clean(token) : token;
    }
  }

  /** A word's last token ends with the suffix, which stands for the space before the next word. */
  record WordSuffix(String suffix) implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        private String held;

        @Override
        public void take(String piece) {
          if (held != null) {
            next.take(inner(held));
          }
          held = piece;
        }

        @Override
        public void end() {
          if (held != null) {
            next.take(held.replace(suffix, ""));
          }
          next.end();
        }
      };
    }

    @Override
    public String inner(String token) {
      return token.replace(suffix, " ");
    }
  }

  /**
   * Takes up to {@code start} of a character off the start of each token, {@code stop} off its end.
   */
  record Strip(char content, int start, int stop) implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        @Override
        public void take(String piece) {
          next.take(inner(piece));
        }
      };
    }

    @Override
    public String inner(String token) {
      var from = 0;
      while (from < start && from < token.length() && token.charAt(from) == content) {
        from++;
      }
      var to = token.length();
      while (to > from && token.length() - to < stop && token.charAt(to - 1) == content) {
        to--;
      }
      return token.substring(from, to);
    }
  }

  /** {@link Strip} where all tokens are one already. */
  record StripText(char content, int start, int stop) implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        private int startLeft = start;
        private int heldBack;

        @Override
        public void take(String piece) {
          var from = 0;
          while (from < piece.length() && startLeft > 0) {
            if (piece.charAt(from) == content) {
              startLeft--;
              from++;
            } else {
              startLeft = 0;
            }
          }
          if (from == piece.length()) {
            return;
          }
          var text = Character.toString(content).repeat(heldBack) + piece.substring(from);
          var to = text.length();
          while (to > 0 && text.length() - to < stop && text.charAt(to - 1) == content) {
            to--;
          }
          heldBack = text.length() - to;
          next.take(text.substring(0, to));
        }
      };
    }
  }

  /** What a tokenizer without decoder does: tokens with a space between. */
  record Join() implements DecoderStep {
    @Override
    public Pieces into(Pieces next) {
      return new EachPiece(next) {
        private boolean first = true;

        @Override
        public void take(String piece) {
          next.take(first ? piece : " " + piece);
          first = false;
        }
      };
    }
  }

  /** Passes the end on. */
  abstract class EachPiece implements Pieces {
    private final Pieces next;

    EachPiece(Pieces next) {
      this.next = next;
    }

    @Override
    public void end() {
      next.end();
    }
  }
}
