package dev.vllmmlx.dist;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom, over every class of the distribution. */
@AnalyzeClasses(packages = "dev.vllmmlx", importOptions = DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final String SPI = "dev.vllmmlx.spi..";
  private static final String HUB = "dev.vllmmlx.hub..";
  private static final String TEXT = "dev.vllmmlx.text..";
  private static final String CACHE = "dev.vllmmlx.cache..";
  private static final String MCP = "dev.vllmmlx.mcp..";
  private static final String MLX = "dev.vllmmlx.mlx..";
  private static final String ECHO = "dev.vllmmlx.echo..";
  private static final String GATEWAY = "dev.vllmmlx.gateway..";

  @ArchTest
  static final ArchRule spiKnowsTheJdkAlone =
      classes().that().resideInAPackage(SPI).should().onlyDependOnClassesThat(inJdkOr(SPI));

  @ArchTest
  static final ArchRule hubKnowsNobody =
      noClasses()
          .that()
          .resideInAPackage(HUB)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(SPI, TEXT, MCP, MLX, ECHO, GATEWAY);

  @ArchTest
  static final ArchRule textKnowsSpiAndHub =
      noClasses()
          .that()
          .resideInAPackage(TEXT)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(MCP, MLX, ECHO, GATEWAY);

  @ArchTest
  static final ArchRule mcpBridgeKnowsTheSpiAlone =
      noClasses()
          .that()
          .resideInAPackage(MCP)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(HUB, TEXT, MLX, ECHO, GATEWAY);

  @ArchTest
  static final ArchRule theMcpSdkIsTheConnectionsAlone =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.vllmmlx.mcp.connection..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.modelcontextprotocol..", "reactor..");

  @ArchTest
  static final ArchRule pagedCacheKnowsTheJdkAlone =
      classes().that().resideInAPackage(CACHE).should().onlyDependOnClassesThat(inJdkOr(CACHE));

  @ArchTest
  static final ArchRule onlyEnginesKnowThePagedCache =
      noClasses()
          .that()
          .resideInAnyPackage(SPI, HUB, TEXT, MCP, ECHO, GATEWAY)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(CACHE);

  @ArchTest
  static final ArchRule enginesDoNotKnowTheGateway =
      noClasses()
          .that()
          .resideInAnyPackage(MLX, ECHO)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(MCP, GATEWAY);

  @ArchTest
  static final ArchRule gatewayKnowsNoEngine =
      noClasses()
          .that()
          .resideInAPackage(GATEWAY)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(MLX, ECHO);

  @ArchTest
  static final ArchRule echoKnowsTheSpiAlone =
      classes().that().resideInAPackage(ECHO).should().onlyDependOnClassesThat(inJdkOr(SPI, ECHO));

  @ArchTest
  static final ArchRule nativeMemoryIsTheBindingsAlone =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.vllmmlx.mlx.array..", "dev.vllmmlx.text.grammar..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.foreign.Linker");

  @ArchTest
  static final ArchRule noStateInStatics =
      fields()
          .that()
          .areStatic()
          .and()
          .areDeclaredInClassesThat()
          .resideInAPackage("dev.vllmmlx..")
          .should()
          .haveModifier(JavaModifier.FINAL);

  @ArchTest
  static final ArchRule namesSayWhatAThingIs =
      noClasses()
          .should()
          .haveNameMatching(".*(Impl|Helper|Manager|Utils?)$")
          .orShould()
          .resideInAnyPackage("..util..", "..common..", "..misc..");

  private static DescribedPredicate<JavaClass> inJdkOr(String... packages) {
    return resideInAnyPackage(packages).or(resideInAnyPackage("java.."));
  }
}
