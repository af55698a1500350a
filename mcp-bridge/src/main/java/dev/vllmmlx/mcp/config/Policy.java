package dev.vllmmlx.mcp.config;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What tools may do here, whatever a server or a request says.
 *
 * @param tools which tools exist at all, by their names in requests ({@code server__tool})
 * @param commands which programs may be started, compared with {@code command} as it is written;
 *     absent for all
 * @param maxResultChars a longer result is cut
 * @param callsPerMinute of all requests together; absent for no limit
 * @param callsPerRequest of one request, over all its rounds
 * @param redacted arguments by these names are not written to the log; case does not count
 */
public record Policy(
    NameFilter tools,
    Optional<List<NamePattern>> commands,
    int maxResultChars,
    OptionalInt callsPerMinute,
    int callsPerRequest,
    List<NamePattern> redacted) {

  /** What holds where the file says nothing. */
  public static final Policy USUAL =
      new Policy(
          NameFilter.ALL,
          Optional.empty(),
          50_000,
          OptionalInt.empty(),
          100,
          List.of(
              new NamePattern("*password*"),
              new NamePattern("*passwd*"),
              new NamePattern("*secret*"),
              new NamePattern("*token*"),
              new NamePattern("*key*"),
              new NamePattern("*auth*"),
              new NamePattern("*credential*"),
              new NamePattern("*cookie*")));

  public Policy {
    Objects.requireNonNull(tools);
    commands = commands.map(List::copyOf);
    Objects.requireNonNull(callsPerMinute);
    redacted = List.copyOf(redacted);
  }
}
