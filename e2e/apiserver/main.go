// Command apiserver runs a real kube-apiserver in one process with the etcd it stores in.
//
// It keeps certificates, the key of service accounts, the token and all objects in the data directory. Behind it is
// one controller, which signs approved CertificateSigningRequests for client certificates; there are no others, no
// scheduler and no nodes. When it answers it writes a kubeconfig of the cluster's administrator, and prints one line:
//
//	ready <url> <path of the kubeconfig>
//
// It ends when its standard input does, so that it never outlives the program that started it.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/pkg/controller/certificates/signer"
)

func main() {
	data := flag.String("data", "", "directory for certificates, token and objects; it is made if absent")
	port := flag.Int("port", 0, "port of 127.0.0.1 to listen on; 0 picks a free one")
	flag.Parse()
	if err := run(*data, *port); err != nil {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		os.Exit(1)
	}
}

func run(data string, port int) error {
	if data == "" {
		return errors.New("-data is required")
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	token, err := prepare(data)
	if err != nil {
		return err
	}
	if err := prepareClientCA(data); err != nil {
		return err
	}
	if port == 0 {
		if port, err = freePort(); err != nil {
			return err
		}
	}
	etcd, err := startEtcd(filepath.Join(data, "etcd"))
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer etcd.Close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- serve(ctx, data, etcd.Clients[0].Addr().String(), port) }()

	address := "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	ca := filepath.Join(data, "apiserver.crt")
	ready := make(chan struct{})
	go func() {
		for probe(address, token, ca) != nil {
			time.Sleep(50 * time.Millisecond)
		}
		close(ready)
	}()
	select {
	case err := <-failed:
		return err
	case <-ready:
		kubeconfig, err := writeKubeconfig(data, address, token, ca)
		if err != nil {
			return err
		}
		if err := startSigner(ctx, data, kubeconfig); err != nil {
			return fmt.Errorf("signer: %w", err)
		}
		fmt.Println("ready", address, kubeconfig)
	case <-time.After(2 * time.Minute):
		return errors.New("not ready after two minutes")
	}

	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case err := <-failed:
		return err
	case <-ended:
		return nil
	}
}

// prepare writes the key of service accounts and the file of tokens, and returns the token of the cluster's
// administrator. What a former run left is used again.
func prepare(data string) (string, error) {
	path := filepath.Join(data, "token")
	if token, err := os.ReadFile(path); err == nil {
		return string(token), nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(data, "service-account.key"), block, 0o600); err != nil {
		return "", err
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	token := hex.EncodeToString(random)
	users := token + ",admin,admin,system:masters\n"
	if err := os.WriteFile(filepath.Join(data, "tokens.csv"), []byte(users), 0o600); err != nil {
		return "", err
	}
	return token, os.WriteFile(path, []byte(token), 0o600)
}

// prepareClientCA writes the certificate authority of client certificates with its key, unless a former run did.
func prepareClientCA(data string) error {
	certificate, key := clientCA(data)
	if _, err := os.Stat(certificate); err == nil {
		return nil
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "e2e-client-ca"}, private)
	if err != nil {
		return err
	}
	encoded, err := keyutil.MarshalPrivateKeyToPEM(private)
	if err != nil {
		return err
	}
	if err := keyutil.WriteKey(key, encoded); err != nil {
		return err
	}
	return cert.WriteCert(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
}

// clientCA has the paths of the certificate and of the key of the authority of client certificates.
func clientCA(data string) (certificate, key string) {
	return filepath.Join(data, "client-ca.crt"), filepath.Join(data, "client-ca.key")
}

// startSigner runs the controller of kube-controller-manager that signs approved requests of the signer
// kubernetes.io/kube-apiserver-client, until the context ends. A certificate is valid for a year at most, as there.
func startSigner(ctx context.Context, data, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	requests := factory.Certificates().V1().CertificateSigningRequests()
	certificate, key := clientCA(data)
	controller, err := signer.NewKubeAPIServerClientCSRSigningController(
		ctx, client, requests, certificate, key, 365*24*time.Hour)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	go controller.Run(ctx, 1)
	return nil
}

// startEtcd starts a store of one member. It does not wait for the disk: a store that is lost with the machine
// is enough here, and comparisons of speed are fairer without the disk's share.
func startEtcd(directory string) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir = directory
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	any := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.ListenClientUrls = []url.URL{any}
	config.AdvertiseClientUrls = []url.URL{any}
	config.ListenPeerUrls = []url.URL{any}
	config.AdvertisePeerUrls = []url.URL{any}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		return nil, err
	case <-time.After(time.Minute):
		etcd.Close()
		return nil, errors.New("not ready after a minute")
	}
}

// serve runs kube-apiserver until the context ends. Admission has its defaults, except for what waits for
// controllers: nobody makes service accounts here.
func serve(ctx context.Context, data, etcd string, port int) error {
	key := filepath.Join(data, "service-account.key")
	clientCertificates, _ := clientCA(data)
	command := app.NewAPIServerCommand()
	command.SetArgs([]string{
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--cert-dir=" + data,
		"--etcd-servers=http://" + etcd,
		"--client-ca-file=" + clientCertificates,
		"--token-auth-file=" + filepath.Join(data, "tokens.csv"),
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + key,
		"--service-account-signing-key-file=" + key,
		"--v=0",
	})
	err := command.ExecuteContext(ctx)
	if err == nil {
		err = errors.New("kube-apiserver ended")
	}
	return err
}

// probe asks whether the server is ready.
func probe(address, token, ca string) error {
	certificates, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificates) {
		return errors.New("no certificate in " + ca)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequest(http.MethodGet, address+"/readyz", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// writeKubeconfig writes how to reach the server as its administrator, and returns where it wrote that.
func writeKubeconfig(data, address, token, ca string) (string, error) {
	config := api.NewConfig()
	config.Clusters["e2e"] = &api.Cluster{Server: address, CertificateAuthority: filepath.Base(ca)}
	config.AuthInfos["admin"] = &api.AuthInfo{Token: token}
	config.Contexts["e2e"] = &api.Context{Cluster: "e2e", AuthInfo: "admin"}
	config.CurrentContext = "e2e"
	path := filepath.Join(data, "kubeconfig")
	return path, clientcmd.WriteToFile(*config, path)
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
