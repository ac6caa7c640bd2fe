#!/bin/sh
# Makes the stores that the tests read; made with keytool of OpenJDK 17.0.15 and OpenSSL 3.0.19. The passwords are
# "changeit", and "another" for the key in key-password.jks. Good for a hundred years.
set -eu
cd "$(dirname "$0")"
rm -f ./*.jks ./*.p12 ./*.jceks ./*.pem ./*.csr
pass="-storepass changeit -noprompt"
pair="-genkeypair -validity 36500 -dname CN=slave3.hanli.com"

# A self-signed certificate, as most do it: a key store for the collector, a trust store for the agents.
keytool $pair -alias server -keyalg RSA -keysize 2048 -storetype JKS -keystore server.jks $pass -keypass changeit
keytool -exportcert -rfc -alias server -keystore server.jks $pass -file server.pem
keytool -importcert -alias collector -file server.pem -storetype JKS -keystore trust.jks $pass
keytool -importcert -alias collector -file server.pem -storetype PKCS12 -keystore trust.p12 $pass

# An authority, a certificate below it, and the same once more as older programs seal it.
keytool -genkeypair -validity 36500 -dname CN=authority -ext bc:c -alias ca -keyalg EC -groupname secp256r1 \
    -storetype PKCS12 -keystore authority.p12 $pass
keytool -exportcert -rfc -alias ca -keystore authority.p12 $pass -file authority.pem
for who in chain client; do
    keytool $pair -alias "$who" -keyalg EC -groupname secp256r1 -storetype PKCS12 -keystore "$who.p12" $pass
    keytool -certreq -alias "$who" -keystore "$who.p12" $pass -file "$who.csr"
    keytool -gencert -validity 36500 -alias ca -keystore authority.p12 $pass -rfc -infile "$who.csr" -outfile "$who.pem"
    keytool -importcert -alias ca -file authority.pem -keystore "$who.p12" $pass
    cat "$who.pem" authority.pem > "$who-chain.pem"
    keytool -importcert -alias "$who" -file "$who-chain.pem" -keystore "$who.p12" $pass
done
keytool -importcert -alias ca -file authority.pem -storetype PKCS12 -keystore authority-trust.p12 $pass
openssl pkcs12 -in chain.p12 -passin pass:changeit -nodes -out chain-all.pem
openssl pkcs12 -export -legacy -in chain-all.pem -name legacy -passout pass:changeit -out legacy.p12
openssl pkcs12 -export -nokeys -in authority.pem -passout pass:changeit -out openssl-trust.p12
openssl pkcs12 -export -in chain-all.pem -name old -keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-3DES -macalg sha512 \
    -passout pass:changeit -out two-keys-des.p12

# A certificate of X.509 version 1, as `openssl x509 -req` makes it unless it is told of extensions.
openssl req -new -newkey rsa:2048 -nodes -keyout version-1.key -subj /CN=old -out version-1.csr
openssl x509 -req -in version-1.csr -signkey version-1.key -days 36500 -out version-1.crt
openssl pkcs12 -export -inkey version-1.key -in version-1.crt -name old -passout pass:changeit -out version-1.p12
keytool -importcert -alias old -file version-1.crt -storetype PKCS12 -keystore version-1-trust.p12 $pass
rm version-1.key version-1.crt

# A chain of three with names in it, others with wrong names or none, one that has expired, and a key that is too short.
for who in root between; do
    keytool -genkeypair -validity 36500 -dname "CN=$who" -ext bc:c -alias "$who" -keyalg EC -groupname secp256r1 \
        -storetype PKCS12 -keystore "$who-key.p12" $pass
    keytool -exportcert -rfc -alias "$who" -keystore "$who-key.p12" $pass -file "$who.pem"
done
sign() { # WHO BY OPTIONS
    who=$1 by=$2
    shift 2
    keytool -certreq -alias "$who" -keystore "$who-key.p12" $pass -file "$who.csr"
    keytool -gencert -validity 36500 -alias "$by" -keystore "$by-key.p12" $pass -rfc -infile "$who.csr" -outfile "$who.pem" "$@"
}
leaf() { # WHO BY CHAIN OPTIONS
    who=$1 by=$2 chain=$3
    shift 3
    keytool $pair -alias "$who" -keyalg EC -groupname secp256r1 -storetype PKCS12 -keystore "$who-key.p12" $pass
    sign "$who" "$by" "$@"
    cat "$who.pem" $chain > "$who-chain.pem"
    keytool -importcert -alias root -file root.pem -keystore "$who-key.p12" $pass
    keytool -importcert -alias "$who" -file "$who-chain.pem" -keystore "$who-key.p12" $pass
    keytool -delete -alias root -keystore "$who-key.p12" $pass
    mv "$who-key.p12" "$who.p12"
}
sign between root -ext bc:c
leaf named between "between.pem root.pem" -ext san=dns:localhost,ip:127.0.0.1
leaf misnamed between "between.pem root.pem" -ext san=dns:elsewhere.test,ip:127.0.0.2
leaf unnamed root root.pem
leaf expired root root.pem -ext san=dns:localhost,ip:127.0.0.1 -startdate "2001/01/01 00:00:00" -validity 365
keytool -importcert -alias root -file root.pem -storetype PKCS12 -keystore root-trust.p12 $pass
keytool -importcert -alias expired -file expired.pem -storetype PKCS12 -keystore expired-trust.p12 $pass
keytool $pair -alias short -keyalg RSA -keysize 1024 -storetype PKCS12 -keystore rsa-1024.p12 $pass
rm -f root-key.p12 between-key.p12 root.pem between.pem named.pem misnamed.pem unnamed.pem expired.pem

# What is refused.
keytool $pair -alias server -keyalg EC -groupname secp256r1 -storetype JKS -keystore key-password.jks $pass -keypass another
keytool $pair -alias server -keyalg EC -groupname secp256r1 -storetype JCEKS -keystore server.jceks $pass -keypass changeit
rm -f ./*.csr chain.pem client.pem ./*-chain.pem chain-all.pem authority.p12

# Hadoop's: `CredentialShell` of hadoop-common 3, with its jars in HADOOP_JARS. The first has Hadoop's own password, `none`.
if [ -n "${HADOOP_JARS:-}" ]; then
    shell() { java -cp "$HADOOP_JARS/*" org.apache.hadoop.security.alias.CredentialShell "$@"; }
    rm -f hadoop.jceks hadoop-password.jceks
    shell create db.password -value 'wörd: 1' -provider "localjceks://file$PWD/hadoop.jceks"
    shell create Sink-Key -value k2 -provider "localjceks://file$PWD/hadoop.jceks"
    HADOOP_CREDSTORE_PASSWORD='test word' shell create db.password -value other -provider "localjceks://file$PWD/hadoop-password.jceks"
fi
