//! The encoding beside gnostic's own, whose bytes are recorded.

use serde_json::Value;

use super::{encode_v2, encode_v3};

const V2: &str = r##"{"definitions":{"A":{"description":"D","properties":{"e":{"enum":[1,2],"example":true,"externalDocs":{"url":"u"}},"l":{"items":{"format":"int32","type":"integer"},"maxItems":3,"minItems":0,"type":"array","uniqueItems":true},"m":{"additionalProperties":{"type":"boolean"},"maxProperties":2,"type":"object"},"n":{"exclusiveMaximum":true,"maximum":1.5,"minimum":-2,"multipleOf":0.5,"type":"number"},"o":{"additionalProperties":true,"type":"object"},"r":{"$ref":"#/definitions/A","description":"R"},"s":{"maxLength":300,"minLength":1,"pattern":"^a","title":"S","type":"string","x-flag":true}},"required":["s"],"type":"object"}},"info":{"title":"T","version":"1"},"parameters":{"p":{"in":"query","name":"p","type":"integer"}},"paths":{"/a/{name}":{"get":{"consumes":["*/*"],"operationId":"g","parameters":[{"in":"body","name":"body","required":true,"schema":{"$ref":"#/definitions/A"}},{"$ref":"#/parameters/p"},{"in":"query","name":"q","type":"string","uniqueItems":true}],"produces":["application/json"],"responses":{"200":{"description":"OK","schema":{"type":"string"}},"401":{"description":"Unauthorized"}},"schemes":["https"],"tags":["t"],"x-flag":true},"parameters":[{"in":"path","name":"name","required":true,"type":"string","uniqueItems":true}]}},"security":[{"T":[]}],"securityDefinitions":{"T":{"in":"header","name":"authorization","type":"apiKey"}},"swagger":"2.0"}"##;

const V2_BYTES: &str = "0a03322e3012060a015412013142fd0112fa010a092f612f7b6e616d657d12ec0112c8010a01742a016732106170706c69636174696f6e2f6a736f6e3a032a2f2a42250a230a211204626f64791a04626f647920012a110a0f232f646566696e6974696f6e732f41421212100a0e232f706172616d65746572732f70421b0a1912171a15120571756572792201713206737472696e67a001014a370a1c0a0332303012150a130a024f4b120d0a0bb201080a06737472696e670a170a0334303112100a0e0a0c556e617574686f72697a6564520568747470736a110a06782d666c616712071205747275650a4a1f0a1d121b2219080112047061746822046e616d652a06737472696e679801014aab020aa8020a014112a2022201449a010173b201080a066f626a656374ca018c020a230a0165121ea201041202310aa201041202320aea0103120175f201071205747275650a0a2c0a016c12277003800101b201070a056172726179ba01150a131205696e743332b201090a07696e74656765720a240a016d121f880102aa010e0a0cb201090a07626f6f6c65616eb201080a066f626a6563740a2d0a016e122831000000000000e03f39000000000000f83f40014900000000000000c0b201080a066e756d6265720a150a016f1210aa01021001b201080a066f626a6563740a190a017212140a0f232f646566696e6974696f6e732f412201520a300a0173122b1a015358ac0260016a025e61b201080a06737472696e67fa01110a06782d666c616712071205747275650a521e0a1c0a0170121712151a13120571756572792201703207696e746567657262070a050a015412006a280a260a01541221121f0a066170694b6579120d617574686f72697a6174696f6e1a06686561646572";

const V3: &str = r##"{"components":{"schemas":{"A":{"description":"D","properties":{"any":{"anyOf":[{"type":"integer"},{"type":"string"}],"x-flag":true},"b":{"default":false,"type":"boolean"},"e":{"enum":[1,2],"example":7,"externalDocs":{"description":"d","url":"u"},"format":"f"},"l":{"items":{"$ref":"#/components/schemas/A"},"type":"array"},"m":{"additionalProperties":{"$ref":"#/components/schemas/A"},"type":"object"},"n":{"default":0,"maximum":1.5,"type":"number"},"not":{"not":{"minimum":3}},"o":{"allOf":[{"$ref":"#/components/schemas/A"}],"default":{},"description":"O"},"one":{"oneOf":[{"required":["a"]},{"$ref":"#/components/schemas/A"}]},"s":{"default":"","maxLength":300,"nullable":true,"pattern":"^a","type":"string"}},"required":["s"],"type":"object"}},"securitySchemes":{"T":{"in":"header","name":"authorization","type":"apiKey"}}},"info":{"title":"T","version":"1"},"openapi":"3.0.0","paths":{"/a/{name}":{"parameters":[{"in":"path","name":"name","required":true,"schema":{"type":"string"}}],"post":{"operationId":"g","parameters":[{"in":"query","name":"q","schema":{"type":"string","uniqueItems":true}}],"requestBody":{"content":{"*/*":{"schema":{"$ref":"#/components/schemas/A"}}},"required":true},"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}},"description":"OK"}},"tags":["t"],"x-flag":true}}}}"##;

const V3_BYTES: &str = "0a05332e302e3012060a015432013122dc010ad9010a092f612f7b6e616d657d12cb0132a9010a01742a0167321c0a1a0a017112057175657279520e0a0ca00101ca0106737472696e673a2b0a2912250a230a032a2f2a121c0a1a12180a16232f636f6d706f6e656e74732f736368656d61732f411801424312410a03323030123a0a380a024f4b1a320a300a106170706c69636174696f6e2f6a736f6e121c0a1a12180a16232f636f6d706f6e656e74732f736368656d61732f416a110a06782d666c616712071205747275650a6a1d0a1b0a046e616d651204706174682001520b0a09ca0106737472696e672ae9030abc030ab9030a014112b3030ab003ba010173ca01066f626a656374fa019b030a3a0a03616e7912330a31e2010c0a0aca0107696e7465676572e2010b0a09ca0106737472696e67a202110a06782d666c616712071205747275650a0a160a016212110a0fca0107626f6f6c65616e8a020210000a270a016512220a2032060a01641201753a041202370ac201041202310ac201041202320a9a0201660a2e0a016c12290a27ca01056172726179f2011c0a1a12180a16232f636f6d706f6e656e74732f736368656d61732f410a2f0a016d122a0a28ca01066f626a65637482021c0a1a12180a16232f636f6d706f6e656e74732f736368656d61732f410a250a016e12200a1e59000000000000f83fca01066e756d6265728a02090900000000000000000a150a036e6f74120e0a0cea01096900000000000008400a2b0a016f12260a24d2011a12180a16232f636f6d706f6e656e74732f736368656d61732f418a02009202014f0a2f0a036f6e6512280a26da01060a04ba010161da011a12180a16232f636f6d706f6e656e74732f736368656d61732f410a1f0a0173121a0a18080178ac028a01025e61ca0106737472696e678a02021a00920201443a280a260a015412210a1f0a066170694b65791a0d617574686f72697a6174696f6e2206686561646572";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).expect("the document is JSON")
}

#[test]
fn a_document_of_v2_has_the_bytes_of_gnostic() {
    assert_eq!(hex(&encode_v2(&document(V2))), V2_BYTES);
}

#[test]
fn a_document_of_v3_has_the_bytes_of_gnostic() {
    assert_eq!(hex(&encode_v3(&document(V3))), V3_BYTES);
}
