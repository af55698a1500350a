package dev.vllmmlx.gateway.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vllmmlx.spi.EngineContext;
import dev.vllmmlx.spi.EngineException;
import dev.vllmmlx.spi.EngineProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineCatalogTest {
  private static final String SERVICE = "META-INF/services/" + EngineProvider.class.getName();

  @TempDir Path plugins;
  @TempDir Path work;

  @Test
  void findsEnginesInFoldersSideBySide() throws IOException {
    plugin("one", "one", "\"first version\"");
    plugin("two", "two", "\"second version\"");
    Files.writeString(plugins.resolve("README.txt"), "no plugin");
    var catalog = EngineCatalog.find(Optional.of(plugins));

    var one = catalog.named("one").orElseThrow();
    var two = catalog.named("two-alias").orElseThrow();
    assertThat(one.origin()).isEqualTo(plugins.resolve("one").toString());
    // The same class names, and each its own library.
    assertThat(one.provider().getClass().getName()).isEqualTo(two.provider().getClass().getName());
    assertThat(one.provider().description()).isEqualTo("first version");
    assertThat(two.provider().description()).isEqualTo("second version");
    assertThat(catalog.named("three")).isEmpty();
    assertThat(catalog.engines().stream().map(it -> it.provider().name())).isSorted();
    assertThat(catalog.names()).contains("one, two");
  }

  @Test
  void opensWithThePluginsLoaderAsTheThreads() throws IOException {
    plugin("one", "one", "\"x\"");
    var one = EngineCatalog.find(Optional.of(plugins)).named("one").orElseThrow();
    var before = Thread.currentThread().getContextClassLoader();
    assertThatThrownBy(
            () ->
                one.open(
                    new EngineContext(
                        Optional.empty(), Optional.empty(), Map.of(), (_, _, _) -> {})))
        .isInstanceOf(EngineException.Unavailable.class)
        .hasMessage("opened by plugin-one");
    assertThat(Thread.currentThread().getContextClassLoader()).isSameAs(before);
  }

  @Test
  void hidesTheServersLibraries() throws IOException {
    plugin(
        "one",
        "one",
        "sees(\"dev.vllmmlx.spi.Engine\") + sees(\"java.sql.Connection\")"
            + " + sees(\"io.vertx.core.Vertx\") + sees(\"tools.jackson.databind.JsonNode\")"
            + " + sees(\"dev.vllmmlx.gateway.plugin.EngineCatalog\")"
            + " + getClass().getClassLoader().getResource(\"logback.xml\")");
    var one = EngineCatalog.find(Optional.of(plugins)).named("one").orElseThrow();
    assertThat(one.provider().description()).isEqualTo("truetruefalsefalsefalsenull");
  }

  @Test
  void usesTheServersSpiEvenIfAPluginBringsItsOwn() throws IOException {
    var classes = compile("one", "\"x\"");
    var spi = classes.resolve("dev/vllmmlx/spi/EngineProvider.class");
    Files.createDirectories(spi.getParent());
    Files.write(spi, new byte[] {1, 2, 3});
    jar(classes, plugins.resolve("one"));
    assertThat(EngineCatalog.find(Optional.of(plugins)).named("one")).isPresent();
  }

  @Test
  void refusesTwoEnginesOfOneName() throws IOException {
    plugin("a", "same", "\"x\"");
    plugin("b", "same", "\"x\"");
    assertThatThrownBy(() -> EngineCatalog.find(Optional.of(plugins)))
        .isInstanceOf(PluginException.class)
        .hasMessageContainingAll(
            "same", plugins.resolve("a").toString(), plugins.resolve("b").toString());
  }

  @Test
  void refusesAFolderWithoutAJar() throws IOException {
    Files.createDirectories(plugins.resolve("empty"));
    assertThatThrownBy(() -> EngineCatalog.find(Optional.of(plugins)))
        .isInstanceOf(PluginException.class)
        .hasMessageContaining(plugins.resolve("empty") + " holds no jar");
  }

  @Test
  void refusesAJarThatDeclaresNoEngine() throws IOException {
    var classes = compile("one", "\"x\"");
    Files.delete(classes.resolve(SERVICE));
    jar(classes, plugins.resolve("one"));
    assertThatThrownBy(() -> EngineCatalog.find(Optional.of(plugins)))
        .isInstanceOf(PluginException.class)
        .hasMessageContaining(SERVICE);
  }

  @Test
  void refusesADeclarationOfWhatIsNotThere() throws IOException {
    var classes = compile("one", "\"x\"");
    Files.writeString(classes.resolve(SERVICE), "acme.Missing\n");
    jar(classes, plugins.resolve("one"));
    assertThatThrownBy(() -> EngineCatalog.find(Optional.of(plugins)))
        .isInstanceOf(PluginException.class)
        .hasMessageContainingAll(plugins.resolve("one").toString(), "acme.Missing");
  }

  @Test
  void refusesAProviderThatCannotBeMade() throws IOException {
    plugin(
        "one",
        "one",
        "\"x\"; static { if (true) throw new IllegalStateException(\"boom\"); } String y = \"\"");
    assertThatThrownBy(() -> EngineCatalog.find(Optional.of(plugins)))
        .isInstanceOf(PluginException.class)
        .hasMessageContaining(plugins.resolve("one").toString());
  }

  @Test
  void refusesAFolderThatIsNotThere() {
    assertThatThrownBy(() -> EngineCatalog.find(Optional.of(plugins.resolve("nowhere"))))
        .isInstanceOf(PluginException.class)
        .hasMessageContaining("nowhere");
  }

  private void plugin(String folder, String name, String description) throws IOException {
    jar(compile(name, description), plugins.resolve(folder));
  }

  /**
   * Compiles a provider.
   *
   * @param description a Java expression
   */
  private Path compile(String name, String description) throws IOException {
    var classes = Files.createTempDirectory(work, "classes");
    var source = classes.resolve("Provider.java");
    Files.writeString(
        source,
        """
        package acme;

        import dev.vllmmlx.spi.*;

        public final class Provider implements EngineProvider {
          private final String text = %s;

          public String name() {
            return "%s";
          }

          public java.util.Set<String> aliases() {
            return java.util.Set.of("%s-alias", "%s");
          }

          public String description() {
            return text;
          }

          public Engine open(EngineContext context) {
            throw new EngineException.Unavailable(
                "opened by " + Thread.currentThread().getContextClassLoader().getName());
          }

          private boolean sees(String type) {
            try {
              Class.forName(type);
              return true;
            } catch (ClassNotFoundException e) {
              return false;
            }
          }
        }
        """
            .formatted(
                description.startsWith("sees") ? "\"\" + " + description : description,
                name,
                name,
                name));
    var spi = EngineProvider.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    var exit =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-cp",
                spi,
                "-proc:none",
                "-d",
                classes.toString(),
                source.toString());
    assertThat(exit).isZero();
    Files.createDirectories(classes.resolve(SERVICE).getParent());
    Files.writeString(classes.resolve(SERVICE), "acme.Provider\n");
    return classes;
  }

  private static void jar(Path classes, Path folder) throws IOException {
    Files.createDirectories(folder);
    List<Path> files;
    try (var all = Files.walk(classes)) {
      files =
          all.filter(Files::isRegularFile).filter(it -> !it.toString().endsWith(".java")).toList();
    }
    try (var jar = new JarOutputStream(Files.newOutputStream(folder.resolve("plugin.jar")))) {
      for (var file : files) {
        jar.putNextEntry(new JarEntry(classes.relativize(file).toString().replace('\\', '/')));
        jar.write(Files.readAllBytes(file));
        jar.closeEntry();
      }
    }
  }
}
