package dev.vllmmlx.gateway.cli;

import dev.vllmmlx.gateway.plugin.EngineCatalog;
import dev.vllmmlx.gateway.plugin.FoundEngine;
import dev.vllmmlx.spi.EngineOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The options that engines declare, as options of {@code serve}. All are parsed, whichever engine
 * is chosen, so that an option of another engine is refused by name instead of as unknown.
 */
final class EngineOptions {
  private final EngineCatalog catalog;
  private final Map<String, OptionSpec> added = new TreeMap<>();

  EngineOptions(EngineCatalog catalog) {
    this.catalog = catalog;
  }

  /** Adds every declared option that the command does not have already, a group for each engine. */
  void addTo(CommandSpec serve) {
    for (var engine : catalog.engines()) {
      var group =
          ArgGroupSpec.builder()
              .heading("%nOptions of the engine " + engine.provider().name() + ":%n")
              .validate(false);
      var any = false;
      for (var option : engine.provider().options()) {
        var flag = "--" + option.name();
        if (serve.findOption(flag) == null && !added.containsKey(option.name())) {
          var spec = spec(flag, option);
          added.put(option.name(), spec);
          group.addArg(spec);
          any = true;
        }
      }
      if (any) {
        serve.addArgGroup(group.build());
      }
    }
  }

  /**
   * The values for one engine: what the user gave, else the declared default.
   *
   * @param shared values that the command's own options give for options of the engine by name
   * @throws CommandLine.ParameterException if the user gave an option this engine does not have
   */
  Map<String, String> values(FoundEngine engine, CommandLine serve, Map<String, String> shared) {
    var declared = new LinkedHashMap<String, EngineOption>();
    engine.provider().options().forEach(option -> declared.put(option.name(), option));
    var given = new TreeMap<>(shared);
    var parsed = serve.getParseResult();
    added.forEach(
        (name, spec) -> {
          if (parsed.hasMatchedOption(spec)) {
            given.put(name, String.valueOf((Object) spec.getValue()));
          }
        });
    for (var name : given.keySet()) {
      if (!declared.containsKey(name)) {
        throw new CommandLine.ParameterException(serve, notAnOptionOf(engine, name));
      }
    }
    var values = new LinkedHashMap<String, String>();
    declared.forEach(
        (name, option) -> {
          if (given.containsKey(name)) {
            values.put(name, OptionValues.checked(serve, option, given.get(name)));
          } else if (!option.defaultValue().isEmpty()) {
            values.put(name, option.defaultValue());
          }
        });
    return values;
  }

  private String notAnOptionOf(FoundEngine engine, String name) {
    var owners = new TreeSet<String>();
    for (var other : catalog.engines()) {
      if (other.provider().options().stream().anyMatch(option -> option.name().equals(name))) {
        owners.add(other.provider().name());
      }
    }
    return owners.isEmpty()
        ? "--%s: no engine that was found has this option (found: %s)"
            .formatted(name, catalog.names())
        : "--%s is no option of the engine %s, but of: %s"
            .formatted(name, engine.provider().name(), String.join(", ", owners));
  }

  private static OptionSpec spec(String flag, EngineOption option) {
    var spec =
        OptionSpec.builder(flag)
            .description(
                option.defaultValue().isEmpty()
                    ? option.help()
                    : option.help() + " (default: " + option.defaultValue() + ")");
    return option.type() == EngineOption.Type.FLAG
        ? spec.type(boolean.class).arity("0").build()
        : spec.type(String.class).arity("1").paramLabel(option.type().name()).build();
  }
}
